package main

// line is a line of the table: one figure of a row, and what it is to reach.
type line struct {
	row, unit string
	what      string
	others    string  // the row of the others, if it has another name there
	ratio     float64 // of yjs to the engine, at least; 0 without a goal
	most      float64 // of the engine, in the unit; 0 without a goal
}

// load is what the others do to read: they have no other form of a document.
var lines = []line{
	{row: "B4Apply", unit: cpuOp, ratio: 100, what: "long history, an update of 259 778 at a time"},
	{row: "B4Apply", unit: allocs, most: 0.001, what: "… allocations"},
	{row: "B4ApplyV2", unit: cpuOp, what: "… in version 2"},
	{row: "B4Heap", unit: heapOp, what: "heap afterwards, compacted"},
	{row: "B4Heap", unit: heapEncoded, most: 1.2, what: "… to its encoding"},
	{row: "B4LoadV1", unit: cpuOp, ratio: 15, what: "load its final state, v1"},
	{row: "B4LoadV2", unit: cpuOp, ratio: 15, what: "load its final state, v2"},
	{row: "B4View", unit: cpuOp, ratio: 1, others: "B4LoadV1", what: "read it: the view"},
	{row: "B4View", unit: cpuNode, most: 300, what: "… a node"},
	{row: "B4View", unit: heapNode, most: 64, what: "… heap of a node"},
	{row: "B4Text", unit: cpuOp, what: "the text of a view"},
	{row: "Merge1000", unit: cpuOp, ratio: 60, what: "merge a thousand updates"},
	{row: "B4Merge", unit: cpuOp, what: "merge the final state and 100 updates"},
	{row: "B4UpdateVector", unit: cpuOp, what: "state vector from the final state"},
	{row: "BigLoad", unit: cpuOp, ratio: 25, what: "load 1.1 M structs of 100 clients, 32 MB, v1"},
	{row: "BigLoad", unit: cpuStruct, most: 125, what: "… a struct (8 M structs/s)"},
	{row: "BigLoadV2", unit: cpuOp, what: "load them, v2"},
	{row: "BigHeap", unit: heapOp, what: "heap afterwards"},
	{row: "BigHeap", unit: heapEncoded, most: 1.5, what: "… to their encoding"},
	{row: "BigView", unit: cpuOp, ratio: 1, others: "BigLoad", what: "read them: the view"},
	{row: "BigView", unit: cpuNode, most: 300, what: "… a node"},
	{row: "BigView", unit: heapNode, most: 64, what: "… heap of a node"},
	{row: "BigEncode", unit: cpuOp, ratio: 80, what: "encode them, v1"},
	{row: "BigEncodeV2", unit: cpuOp, what: "encode them, v2"},
	{row: "BigVector", unit: cpuOp, what: "their state vector"},
	{row: "BigDiff", unit: cpuOp, what: "difference for a peer 10 clocks behind each"},
	{row: "BigDiff", unit: cpuBeyond, most: 50_000, what: "… beside copying the delete set"},
	{row: "BigMerge", unit: cpuOp, ratio: 10, what: "merge them with a letter"},
	{row: "BigUpdateDiff", unit: cpuOp, what: "the difference without a document"},
	{row: "BigUpdateVector", unit: cpuOp, what: "state vector without a document"},
	{row: "Documents", unit: cpuOp, ratio: 25, what: "10 000 documents of 100 updates, each"},
	{row: "DocumentsHeap", unit: heapOp, most: 1500, what: "… heap"},
	{row: "PairLoad", unit: cpuOp, most: 50e6, what: "two clients, 60 KiB each, typed at one place"},
	{row: "PairView", unit: cpuOp, most: 50e6, others: "PairLoad", what: "… the view"},
	{row: "CrowdLoad", unit: cpuOp, what: "load 1.1 M structs put into everybody's words at once"},
	{row: "CrowdView", unit: cpuOp, others: "CrowdLoad", what: "… the view"},
	{row: "CrowdView", unit: cpuNode, most: 300, what: "… a node"},
	{row: "Growth/x1/apply", unit: cpuOp, what: "an update of 1 long history"},
	{row: "Growth/x10/apply", unit: cpuOp, what: "… of 10 in one document"},
	{row: "Growth/x100/apply", unit: cpuOp, what: "… of 100"},
	{row: "Growth/x1/view", unit: cpuOp, what: "the view of 1"},
	{row: "Growth/x10/view", unit: cpuOp, what: "… of 10"},
	{row: "Growth/x100/view", unit: cpuOp, what: "… of 100"},
}

const (
	cpuOp       = "cpu-ns/op"
	cpuNode     = "cpu-ns/node"
	cpuStruct   = "cpu-ns/struct"
	cpuBeyond   = "cpu-ns/op beyond a copy"
	heapOp      = "heap-B/op"
	heapNode    = "heap-B/node"
	heapEncoded = "heap/encoded"
	allocs      = "allocs/op"
)

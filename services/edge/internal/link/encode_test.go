package link

import (
	"testing"

	"google.golang.org/protobuf/proto"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// What is written by hand is what the generated code would write, byte by byte.
func TestEncodingIsThatOfTheGeneratedCode(t *testing.T) {
	long := make([]byte, 100_000)
	seq := uint64(300)
	zero := uint64(0)
	frame := func(f *roomsv1.EdgeFrame) *roomsv1.LinkRequest {
		return &roomsv1.LinkRequest{Frames: []*roomsv1.EdgeFrame{f}}
	}
	all := &session.Grants{Level: roomsv1.Level_LEVEL_ADMIN, Presence: true, Create: true, Subject: string(long[:300]), TokenID: "t"}
	allGrants := &roomsv1.Grants{Level: roomsv1.Level_LEVEL_ADMIN, Presence: true, Create: true, Subject: string(long[:300]), TokenId: "t"}
	said := func(f session.Frame) []byte { return appendSessionFrame(nil, 7, 1<<40, f) }
	for name, test := range map[string]struct {
		got  []byte
		want *roomsv1.LinkRequest
	}{
		"hello": {appendHello(nil, "edge-1/4711"), &roomsv1.LinkRequest{Hello: &roomsv1.EdgeHello{Edge: "edge-1/4711"}}},
		"attach": {appendAttach(nil, 1, "doc", nil, ""), frame(&roomsv1.EdgeFrame{Attachment: 1, Body: &roomsv1.EdgeFrame_Attach{
			Attach: &roomsv1.Attach{Room: "doc"}}})},
		"attach and resume": {appendAttach(nil, 1<<33, "doc", &seq, "00-a-b-01"), frame(&roomsv1.EdgeFrame{Attachment: 1 << 33, Body: &roomsv1.EdgeFrame_Attach{
			Attach: &roomsv1.Attach{Room: "doc", Resume: &roomsv1.Resume{Seq: 300}, Traceparent: "00-a-b-01"}}})},
		"detach": {appendDetach(nil, 9), frame(&roomsv1.EdgeFrame{Attachment: 9, Body: &roomsv1.EdgeFrame_Detach{Detach: &roomsv1.Detach{}}})},
		"join": {said(session.Frame{Kind: session.Join, Grants: &session.Grants{}}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Join{
			Join: &roomsv1.Join{Grants: &roomsv1.Grants{}}}})},
		"join to read": {said(session.Frame{Kind: session.Join, Grants: &session.Grants{Level: roomsv1.Level_LEVEL_READ}}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Join{
			Join: &roomsv1.Join{Grants: &roomsv1.Grants{Level: roomsv1.Level_LEVEL_READ}}}})},
		"join with all": {said(session.Frame{Kind: session.Join, Grants: all}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Join{
			Join: &roomsv1.Join{Grants: allGrants}}})},
		"regrant": {said(session.Frame{Kind: session.Regrant, Grants: all}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Grants{
			Grants: allGrants}})},
		"leave": {said(session.Frame{Kind: session.Leave}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Leave{
			Leave: &roomsv1.Leave{}}})},
		"step 1": {said(session.Frame{Kind: session.Step1, Bytes: []byte{1, 2, 3}}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Step1{
			Step1: &roomsv1.SyncStep1{StateVector: []byte{1, 2, 3}}}})},
		"update": {said(session.Frame{Kind: session.Update, Bytes: long}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Update{
			Update: &roomsv1.ClientUpdate{Update: long}}})},
		"step 2 with a ticket": {said(session.Frame{Kind: session.Step2, Bytes: []byte{4}, Ticket: 1 << 50}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Update{
			Update: &roomsv1.ClientUpdate{Ticket: 1 << 50, Update: []byte{4}, Step2: true}}})},
		"awareness": {said(session.Frame{Kind: session.Awareness, Bytes: []byte{5}}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Awareness{
			Awareness: []byte{5}}})},
		"query awareness": {said(session.Frame{Kind: session.QueryAwareness}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_QueryAwareness{
			QueryAwareness: &roomsv1.QueryAwareness{}}})},
		"relay": {said(session.Frame{Kind: session.Relay, Bytes: []byte("any")}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Relay{
			Relay: []byte("any")}})},
		"relay of nothing": {said(session.Frame{Kind: session.Relay}), frame(&roomsv1.EdgeFrame{Attachment: 7, Session: 1 << 40, Body: &roomsv1.EdgeFrame_Relay{
			Relay: []byte{}}})},
		"nothing": {said(session.Frame{}), &roomsv1.LinkRequest{}},
	} {
		var got roomsv1.LinkRequest
		if err := proto.Unmarshal(test.got, &got); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !proto.Equal(&got, test.want) {
			t.Errorf("%s: %v, want %v", name, &got, test.want)
		}
	}
	// A resume behind seq 0 is a resume, though its field is empty.
	var got roomsv1.LinkRequest
	if err := proto.Unmarshal(appendAttach(nil, 1, "doc", &zero, ""), &got); err != nil || got.GetFrames()[0].GetAttach().GetResume() == nil {
		t.Errorf("resume behind 0: %v, %v", &got, err)
	}
}

// Frames that follow one another in a chunk are one request.
func TestChunkIsOneRequest(t *testing.T) {
	var chunk []byte
	for i := range uint64(100) {
		chunk = appendSessionFrame(chunk, i+1, i+1, session.Frame{Kind: session.Update, Bytes: []byte{byte(i)}})
	}
	var got roomsv1.LinkRequest
	if err := proto.Unmarshal(chunk, &got); err != nil || len(got.GetFrames()) != 100 {
		t.Fatalf("%d frames, %v", len(got.GetFrames()), err)
	}
	for i, f := range got.GetFrames() {
		if f.GetAttachment() != uint64(i)+1 || f.GetUpdate().GetUpdate()[0] != byte(i) {
			t.Errorf("frame %d: %v", i, f)
		}
	}
}

func BenchmarkEncodeKeystroke(b *testing.B) {
	f := session.Frame{Kind: session.Update, Bytes: make([]byte, 30)}
	var chunk []byte
	b.ReportAllocs()
	for b.Loop() {
		chunk = appendSessionFrame(chunk[:0], 1234, 56789, f)
	}
}

func BenchmarkEncodeKeystrokeGenerated(b *testing.B) {
	update := make([]byte, 30)
	var chunk []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		chunk, err = proto.MarshalOptions{}.MarshalAppend(chunk[:0], &roomsv1.LinkRequest{Frames: []*roomsv1.EdgeFrame{{
			Attachment: 1234, Session: 56789, Body: &roomsv1.EdgeFrame_Update{Update: &roomsv1.ClientUpdate{Update: append([]byte(nil), update...)}},
		}}})
		if err != nil {
			b.Fatal(err)
		}
	}
}

package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/roomname"
	fjordserve "github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/storage/internal/metrics"
	"github.com/fjord-sync/fjord/services/storage/internal/quarantine"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a store that answers what the test says.
type fake struct {
	err  error
	load func(store.Sink) error
	// now is what Check answers; err, if nil.
	now  error
	page store.Page
	// rooms are what List lists, in order.
	rooms []string
	// scrapped counts the calls of Scrap.
	scrapped int
	// rebuilt are the calls of Rebuild, and the bytes that they got.
	rebuilt      []store.Rebuilt
	rebuiltBytes int64
}

func (f *fake) Claim(context.Context, string) (store.Head, error) { return store.Head{}, f.err }

func (f *fake) Append(_ context.Context, items []store.Item) []store.Result {
	results := make([]store.Result, len(items))
	for i := range results {
		results[i] = store.Result{Head: store.HeadOf(f.err), Err: f.err}
	}
	return results
}

func (f *fake) Load(_ context.Context, _ string, _ store.Epoch, to store.Sink) error {
	if f.load != nil {
		return f.load(to)
	}
	return f.err
}

func (f *fake) PutSnapshot(_ context.Context, _ store.Snapshot, body io.Reader) (uint64, error) {
	if _, err := io.Copy(io.Discard, body); err != nil {
		return 0, err
	}
	return 0, f.err
}

func (f *fake) Delete(context.Context, string, store.Epoch) (bool, error) { return false, f.err }

func (f *fake) List(_ context.Context, page store.Page) ([]store.Info, bool, error) {
	f.page = page
	var found []store.Info
	for _, room := range f.rooms {
		if room <= page.After || !strings.HasPrefix(room, page.Prefix) {
			continue
		}
		if len(found) == page.Limit {
			return found, true, f.err
		}
		found = append(found, store.Info{Room: room})
	}
	return found, false, f.err
}

func (f *fake) Check(_ context.Context, holdings []store.Holding) []error {
	err := f.now
	if err == nil {
		err = f.err
	}
	return slices.Repeat([]error{err}, len(holdings))
}

func (f *fake) Salvage(_ context.Context, _ string, to store.Sink) error { return f.load(to) }
func (f *fake) Space() error                                             { return nil }

func (f *fake) Scrap(context.Context, string, store.Head) error {
	f.scrapped++
	return nil
}

func (f *fake) Rebuild(_ context.Context, r store.Rebuilt, body io.Reader) (_ store.Seq, err error) {
	f.rebuilt = append(f.rebuilt, r)
	f.rebuiltBytes, err = io.Copy(io.Discard, body)
	return 7, err
}

func (f *fake) Err() error              { return nil }
func (f *fake) Failed() <-chan struct{} { return nil }
func (f *fake) Close() error            { return nil }

// serve returns a client of a handler on f, and its metrics.
func serve(t *testing.T, f *fake) (storagev1connect.StorageServiceClient, *prometheus.Registry) {
	t.Helper()
	m, registry := metrics.New(metrics.Gauges{}), prometheus.NewRegistry()
	if err := m.Register(registry); err != nil {
		t.Fatal(err)
	}
	ward, err := quarantine.Open(quarantine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(storagev1connect.NewStorageServiceHandler(New(f, ward, m, slog.New(slog.DiscardHandler))))
	// HTTP/2, as between the services: an answer that comes before all of a request was
	// sent can get lost without it.
	server := httptest.NewUnstartedServer(mux)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	httpClient := fjordserve.NewClient(nil)
	t.Cleanup(httpClient.CloseIdleConnections)
	return storagev1connect.NewStorageServiceClient(httpClient, server.URL), registry
}

// calls makes each call of the service that ends in an error, and returns those.
func calls(t *testing.T, client storagev1connect.StorageServiceClient) map[string]error {
	t.Helper()
	errs := map[string]error{}
	_, errs["claim"] = client.Claim(t.Context(), connect.NewRequest(&storagev1.ClaimRequest{Room: "a"}))
	_, errs["delete"] = client.Delete(t.Context(), connect.NewRequest(&storagev1.DeleteRequest{Room: "a"}))
	_, errs["list"] = client.List(t.Context(), connect.NewRequest(&storagev1.ListRequest{}))
	load, err := client.Load(t.Context(), connect.NewRequest(&storagev1.LoadRequest{Room: "a"}))
	if err != nil {
		t.Fatal(err)
	}
	for load.Receive() {
	}
	errs["load"] = load.Err()
	load.Close()
	put := client.PutSnapshot(t.Context())
	header := &storagev1.SnapshotHeader{Room: "a", Epoch: 1, Seq: 1, Size: 1}
	if err := put.Send(&storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Header{Header: header}}); err != nil {
		t.Fatal(err)
	}
	_, errs["put_snapshot"] = put.CloseAndReceive()
	return errs
}

func TestErrors(t *testing.T) {
	head := store.Head{Epoch: 7, Last: 9}
	for _, c := range []struct {
		kind   store.Kind
		code   connect.Code
		reason storagev1.ErrorReason
		status storagev1.AppendStatus
	}{
		{store.Fenced, connect.CodeFailedPrecondition, storagev1.ErrorReason_ERROR_REASON_FENCED, storagev1.AppendStatus_APPEND_STATUS_FENCED},
		{store.Deleted, connect.CodeFailedPrecondition, storagev1.ErrorReason_ERROR_REASON_DELETED, storagev1.AppendStatus_APPEND_STATUS_DELETED},
		{store.Conflict, connect.CodeFailedPrecondition, storagev1.ErrorReason_ERROR_REASON_CONFLICT, storagev1.AppendStatus_APPEND_STATUS_CONFLICT},
		{store.Invalid, connect.CodeInvalidArgument, 0, storagev1.AppendStatus_APPEND_STATUS_INVALID},
		{store.Corrupt, connect.CodeDataLoss, storagev1.ErrorReason_ERROR_REASON_CORRUPT, storagev1.AppendStatus_APPEND_STATUS_CORRUPT},
		{store.NoSpace, connect.CodeResourceExhausted, storagev1.ErrorReason_ERROR_REASON_NO_SPACE, storagev1.AppendStatus_APPEND_STATUS_NO_SPACE},
		{store.Unknown, connect.CodeUnavailable, 0, storagev1.AppendStatus_APPEND_STATUS_UNKNOWN},
		{store.Closed, connect.CodeUnavailable, 0, storagev1.AppendStatus_APPEND_STATUS_UNKNOWN},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			client, registry := serve(t, &fake{err: fmt.Errorf("around: %w", store.Errorf(c.kind, head, "what is wrong, and what would be right"))})
			for call, err := range calls(t, client) {
				checkError(t, call, err, c.code, c.reason)
				if n := counted(t, registry, "fjord_storage_calls_total", call, c.kind.String()); n != 1 {
					t.Errorf("%s is counted %v times", call, n)
				}
			}
			resp, err := client.Append(t.Context(), connect.NewRequest(&storagev1.AppendRequest{Items: []*storagev1.AppendItem{{Room: "a"}}}))
			if err != nil {
				t.Fatal(err)
			}
			r := resp.Msg.GetResults()[0]
			if r.GetStatus() != c.status || r.GetMessage() == "" || r.GetHeadEpoch() != 7 || r.GetHeadSeq() != 9 {
				t.Errorf("Append: %v", r)
			}
			if n := counted(t, registry, "fjord_storage_appends_total", c.kind.String()); n != 1 {
				t.Errorf("the record is counted %v times", n)
			}
		})
	}
}

// counted returns a counter's value for the labels' values, in the order of their
// names.
func counted(t *testing.T, registry *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var values []string
			for _, label := range m.GetLabel() {
				values = append(values, label.GetValue())
			}
			if family.GetName() == name && slices.Equal(values, labels) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func checkError(t *testing.T, call string, err error, code connect.Code, reason storagev1.ErrorReason) {
	t.Helper()
	got, ok := errors.AsType[*connect.Error](err)
	if !ok || got.Code() != code || !strings.Contains(got.Message(), "what would be right") {
		t.Errorf("%s: %v, want %v", call, err, code)
		return
	}
	if reason == 0 {
		if len(got.Details()) != 0 {
			t.Errorf("%s: %d details, want none", call, len(got.Details()))
		}
		return
	}
	if len(got.Details()) != 1 {
		t.Errorf("%s: %d details, want 1", call, len(got.Details()))
		return
	}
	value, err := got.Details()[0].Value()
	detail, ok := value.(*storagev1.ErrorDetail)
	if err != nil || !ok || detail.GetReason() != reason || detail.GetHeadEpoch() != 7 || detail.GetHeadSeq() != 9 {
		t.Errorf("%s: detail %v, %v", call, value, err)
	}
}

// TestUnknownErrors: what is no error of a store is nobody's kind.
func TestUnknownErrors(t *testing.T) {
	for want, err := range map[connect.Code]error{
		connect.CodeInternal:         errors.New("something else"),
		connect.CodeCanceled:         context.Canceled,
		connect.CodeDeadlineExceeded: fmt.Errorf("too late: %w", context.DeadlineExceeded),
	} {
		client, _ := serve(t, &fake{err: err})
		for call, got := range calls(t, client) {
			if connect.CodeOf(got) != want {
				t.Errorf("%s with %v: %v, want %v", call, err, got, want)
			}
		}
	}
}

// TestLoadMessages: many records share a message, whose size is bounded, and a
// large one has its own.
func TestLoadMessages(t *testing.T) {
	const small, records = 100, 20000
	client, _ := serve(t, &fake{load: func(to store.Sink) error {
		if err := to.Head(store.Head{Epoch: 1, Last: records + 2, Base: 1, SnapshotSeq: 1, SnapshotSize: 1 << 20}); err != nil {
			return err
		}
		if err := to.SnapshotChunk(make([]byte, 1<<20)); err != nil {
			return err
		}
		for i := range records {
			if err := to.Record(store.Record{Seq: store.Seq(i + 2), Data: make([]byte, small)}); err != nil {
				return err
			}
		}
		return to.Record(store.Record{Seq: records + 2, Data: make([]byte, 3<<20)})
	}})
	stream, err := client.Load(t.Context(), connect.NewRequest(&storagev1.LoadRequest{Room: "a"}))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	seq, snapshot, messages := uint64(1), 0, 0
	for stream.Receive() {
		messages++
		snapshot += len(stream.Msg().GetSnapshotChunk())
		got := stream.Msg().GetRecords().GetRecords()
		size := len(stream.Msg().GetSnapshotChunk())
		for _, r := range got {
			if seq++; r.GetSeq() != seq {
				t.Fatalf("record %d, want %d", r.GetSeq(), seq)
			}
			size += len(r.GetData())
		}
		if size > loadMessage && len(got) != 1 {
			t.Errorf("a message of %d bytes with %d records", size, len(got))
		}
	}
	if err := stream.Err(); err != nil || seq != records+2 || snapshot != 1<<20 {
		t.Fatalf("ended with record %d, %d bytes of snapshot, %v", seq, snapshot, err)
	}
	if want := 1 + 4 + records/maxLoadRecords + 5; messages > want+10 {
		t.Errorf("%d messages, want about %d", messages, want)
	}
}

func TestPutSnapshotStream(t *testing.T) {
	header := &storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Header{Header: &storagev1.SnapshotHeader{Room: "a", Epoch: 1, Seq: 1, Size: 1}}}
	chunk := &storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Chunk{Chunk: []byte("x")}}
	client, _ := serve(t, &fake{})
	for name, c := range map[string]struct {
		messages []*storagev1.PutSnapshotRequest
		want     string
	}{
		"no message":      {nil, "the stream is empty"},
		"no header":       {[]*storagev1.PutSnapshotRequest{chunk}, "the first message is not the header"},
		"an empty one":    {[]*storagev1.PutSnapshotRequest{{}}, "the first message is not the header"},
		"two headers":     {[]*storagev1.PutSnapshotRequest{header, chunk, header}, "is not a chunk"},
		"an empty second": {[]*storagev1.PutSnapshotRequest{header, {}}, "is not a chunk"},
		"as it should be": {[]*storagev1.PutSnapshotRequest{header, chunk}, ""},
	} {
		stream := client.PutSnapshot(t.Context())
		for _, msg := range c.messages {
			if err := stream.Send(msg); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
		_, err := stream.CloseAndReceive()
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestListLimits(t *testing.T) {
	f := &fake{}
	client, _ := serve(t, f)
	for limit, want := range map[uint32]int{0: 100, 1: 1, 1000: 1000} {
		if _, err := client.List(t.Context(), connect.NewRequest(&storagev1.ListRequest{Limit: limit, Prefix: "p", After: "q"})); err != nil {
			t.Fatal(err)
		}
		if f.page != (store.Page{Prefix: "p", After: "q", Limit: want}) {
			t.Errorf("limit %d: %+v", limit, f.page)
		}
	}
	_, err := client.List(t.Context(), connect.NewRequest(&storagev1.ListRequest{Limit: 1001}))
	if connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("limit 1001: %v", err)
	}
}

// What services keep beside rooms is listed only for who looks for it, and leaves no
// hole in a page.
func TestListShowsRooms(t *testing.T) {
	client, _ := serve(t, &fake{rooms: []string{"\x01", roomname.Revocations, "a", "b", "c"}})
	for _, c := range []struct {
		prefix, after string
		limit         uint32
		want          string
		more          bool
	}{
		{want: `["\x01" "a" "b" "c"]`},
		{limit: 1, want: `["\x01"]`, more: true},
		{limit: 1, after: "\x01", want: `["a"]`, more: true},
		{limit: 3, want: `["\x01" "a" "b"]`, more: true},
		{limit: 2, after: roomname.Revocations, want: `["a" "b"]`, more: true},
		{prefix: "b", want: `["b"]`},
		{prefix: "\x01", want: `["\x01" "\x01revocations"]`},
		{prefix: roomname.Revocations, limit: 1, want: `["\x01revocations"]`},
	} {
		list, err := client.List(t.Context(), connect.NewRequest(&storagev1.ListRequest{Prefix: c.prefix, After: c.after, Limit: c.limit}))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, room := range list.Msg.GetRooms() {
			got = append(got, room.GetRoom())
		}
		if fmt.Sprintf("%q", got) != c.want || list.Msg.GetMore() != c.more {
			t.Errorf("%+v: %q, more %t", c, got, list.Msg.GetMore())
		}
	}
}

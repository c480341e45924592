package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/rooms"
	"github.com/fjord-sync/fjord/services/storage"
)

// pair is storage and so many rooms processes on it, all in one test.
type pair struct {
	storage   storagev1connect.StorageServiceClient
	documents []roomsv1connect.DocumentsServiceClient
	operators []roomsv1connect.RoomsServiceClient
}

func openPair(t *testing.T, processes int) *pair {
	t.Helper()
	return openPairIn(t, t.TempDir(), processes)
}

func openPairIn(t *testing.T, dir string, processes int) *pair {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	keep, err := storage.Open(t.Context(), storage.Config{Dir: dir, MinFreeBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keep.Close(); err != nil {
			t.Error(err)
		}
	})
	inside := serveOn(t, keep.Register, quiet)
	p := &pair{storage: storagev1connect.NewStorageServiceClient(inside, insideURL)}
	for range processes {
		own, err := rooms.New(rooms.Config{StorageURL: insideURL, HTTPClient: inside, Owner: "test", Limits: rooms.Limits{Stale: 50 * time.Millisecond}})
		if err != nil {
			t.Fatal(err)
		}
		client := serveOn(t, own.Register, quiet)
		t.Cleanup(func() {
			if err := own.Drain(t.Context()); err != nil && t.Context().Err() == nil {
				t.Error(err)
			}
			own.Close()
		})
		p.documents = append(p.documents, roomsv1connect.NewDocumentsServiceClient(client, insideURL))
		p.operators = append(p.operators, roomsv1connect.NewRoomsServiceClient(client, insideURL))
	}
	return p
}

// serveOn returns a client of what register mounts, until the test ends.
func serveOn(t *testing.T, register func(*http.ServeMux, ...connect.HandlerOption), log *slog.Logger) *http.Client {
	t.Helper()
	mux := http.NewServeMux()
	register(mux)
	listener := pipe.Listen()
	server := serve.NewServer(mux, log)
	server.Serve(listener)
	client := serve.NewClient(listener.Dial)
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := server.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return client
}

func (p *pair) apply(t *testing.T, process int, update []byte) {
	t.Helper()
	request := &roomsv1.ApplyUpdateRequest{Room: "doc", Update: update}
	if _, err := p.documents[process].ApplyUpdate(t.Context(), connect.NewRequest(request)); err != nil {
		t.Fatal(err)
	}
}

// applySoon is apply for a room that may still turn away who comes.
func (p *pair) applySoon(t *testing.T, request *roomsv1.ApplyUpdateRequest) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, err := p.documents[0].ApplyUpdate(t.Context(), connect.NewRequest(request))
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func (p *pair) vector(t *testing.T, process int) []byte {
	t.Helper()
	got, err := p.documents[process].GetDocument(t.Context(), connect.NewRequest(&roomsv1.GetDocumentRequest{Room: "doc"}))
	if err != nil {
		t.Fatal(err)
	}
	return got.Msg.GetStateVector()
}

// store writes a record behind the rooms' back.
func (p *pair) store(t *testing.T, updates ...[]byte) {
	t.Helper()
	claim, err := p.storage.Claim(t.Context(), connect.NewRequest(&storagev1.ClaimRequest{Room: "doc"}))
	if err != nil {
		t.Fatal(err)
	}
	record := []byte{1, byte(len(updates))}
	for _, update := range updates {
		record = append(append(record, byte(len(update))), update...)
	}
	item := &storagev1.AppendItem{Room: "doc", Epoch: claim.Msg.GetEpoch(), Seq: claim.Msg.GetLastSeq() + 1, Data: record}
	if _, err := p.storage.Append(t.Context(), connect.NewRequest(&storagev1.AppendRequest{Items: []*storagev1.AppendItem{item}})); err != nil {
		t.Fatal(err)
	}
}

func (p *pair) quarantined(t *testing.T) []*storagev1.QuarantineItem {
	t.Helper()
	list, err := p.storage.ListQuarantine(t.Context(), connect.NewRequest(&storagev1.ListQuarantineRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	return list.Msg.GetItems()
}

// An update in the log that can't be applied goes into quarantine, its room lives
// on without it, and an operator decides what becomes of it.
func TestUnusableUpdateIsIsolated(t *testing.T) {
	p := openPair(t, 1)
	later := []byte{1, 1, 9, 0, 4, 1, 1, 't', 1, 'z', 0}
	p.store(t, typed(1, 0), []byte("no update"), later)
	p.apply(t, 0, typed(2, 0))
	if got, want := p.vector(t, 0), []byte{3, 9, 1, 2, 1, 1, 1}; !bytes.Equal(got, want) {
		t.Errorf("the room has %v, want the updates around the unusable one, %v", got, want)
	}
	items := p.quarantined(t)
	if len(items) != 1 || items[0].GetRoom() != "doc" || items[0].GetSeq() != 1 || items[0].GetReason() == "" || items[0].GetWho() == "" {
		t.Fatalf("in quarantine: %v", items)
	}
	release := func(action roomsv1.ReleaseAction) error {
		_, err := p.operators[0].Release(t.Context(), connect.NewRequest(&roomsv1.ReleaseRequest{Room: "doc", Id: items[0].GetId(), Action: action}))
		return err
	}
	if err := release(roomsv1.ReleaseAction_RELEASE_ACTION_UNSPECIFIED); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("released without an action: %v", err)
	}
	if err := release(roomsv1.ReleaseAction_RELEASE_ACTION_RESTORE); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("restored: %v, want a refusal that keeps it", err)
	}
	if len(p.quarantined(t)) != 1 {
		t.Error("the update has left the quarantine without being applied")
	}
	if err := release(roomsv1.ReleaseAction_RELEASE_ACTION_DROP); err != nil {
		t.Error(err)
	}
	if items := p.quarantined(t); len(items) != 0 {
		t.Errorf("in quarantine after it was dropped: %v", items)
	}
}

// What is in quarantine and can be applied after all is put back.
func TestReleaseRestores(t *testing.T) {
	p := openPair(t, 1)
	p.apply(t, 0, typed(1, 0))
	kept, err := p.storage.Quarantine(t.Context(), connect.NewRequest(&storagev1.QuarantineRequest{Room: "doc", Data: typed(2, 0), Reason: "a bug that was mended since"}))
	if err != nil {
		t.Fatal(err)
	}
	request := &roomsv1.ReleaseRequest{Room: "doc", Id: kept.Msg.GetId(), Action: roomsv1.ReleaseAction_RELEASE_ACTION_RESTORE}
	response, err := p.operators[0].Release(t.Context(), connect.NewRequest(request))
	if err != nil || response.Msg.GetSeq() != 2 {
		t.Fatalf("released: %v, %v", response, err)
	}
	if got := p.vector(t, 0); !bytes.Equal(got, []byte{2, 2, 1, 1, 1}) {
		t.Errorf("the room has %v", got)
	}
	if len(p.quarantined(t)) != 0 {
		t.Error("it is still in quarantine")
	}
}

// Reading a document through any process takes its room from nobody.
func TestGetDocumentClaimsNothing(t *testing.T) {
	p := openPair(t, 2)
	p.apply(t, 0, typed(1, 0))
	if got := p.vector(t, 1); !bytes.Equal(got, []byte{1, 1, 1}) {
		t.Errorf("the other process reads %v", got)
	}
	rooms, err := p.storage.List(t.Context(), connect.NewRequest(&storagev1.ListRequest{}))
	if err != nil || rooms.Msg.GetRooms()[0].GetEpoch() != 1 {
		t.Errorf("storage has %v, %v; want the first owner's epoch", rooms, err)
	}
	p.apply(t, 0, typed(1, 1))
	if got := p.vector(t, 1); !bytes.Equal(got, []byte{1, 1, 2}) {
		t.Errorf("the other process reads %v after another update", got)
	}
}

// An owner that was fenced, and one whose document was deleted, soon stop
// answering from memory, though nobody writes.
func TestStaleOwnerStops(t *testing.T) {
	for name, lose := range map[string]func(p *pair){
		"fenced": func(p *pair) { p.apply(t, 1, typed(2, 0)) },
		"deleted": func(p *pair) {
			if _, err := p.storage.Delete(t.Context(), connect.NewRequest(&storagev1.DeleteRequest{Room: "doc"})); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPair(t, 2)
			p.apply(t, 0, typed(1, 0))
			lose(p)
			for deadline := time.Now().Add(patience); ; {
				got, err := p.documents[0].GetDocument(t.Context(), connect.NewRequest(&roomsv1.GetDocumentRequest{Room: "doc"}))
				if err == nil && !bytes.Equal(got.Msg.GetStateVector(), []byte{1, 1, 1}) {
					return
				}
				if err != nil && connect.CodeOf(err) != connect.CodeUnavailable {
					t.Fatal(err)
				}
				if time.Now().After(deadline) {
					t.Fatal("the first process still answers with the document as it was")
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

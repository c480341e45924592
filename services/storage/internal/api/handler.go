// Package api puts a store behind the Connect service fjord.storage.v1.
//
//	Connect request ──▶ Handler ──▶ store.Store
//	       messages, codes │ seqs, epochs, kinds
//
// It translates, counts and bounds, and decides nothing: the store's kinds of
// error become Connect codes with an ErrorDetail here and nowhere else. Handlers
// run on the server's goroutines; there are no others.
//
// The contract is proto/fjord/storage/v1/storage.proto.
package api

import (
	"context"
	"log/slog"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/services/storage/internal/metrics"
	"github.com/fjord-sync/fjord/services/storage/internal/quarantine"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Handler implements storagev1connect.StorageServiceHandler on a store.
type Handler struct {
	store   store.Store
	ward    *quarantine.Ward
	metrics *metrics.Metrics
	log     *slog.Logger
}

var _ storagev1connect.StorageServiceHandler = (*Handler)(nil)

// New returns a Handler. All arguments are required.
func New(s store.Store, ward *quarantine.Ward, m *metrics.Metrics, log *slog.Logger) *Handler {
	return &Handler{store: s, ward: ward, metrics: m, log: log}
}

// Claim implements the RPC.
func (h *Handler) Claim(ctx context.Context, req *connect.Request[storagev1.ClaimRequest]) (*connect.Response[storagev1.ClaimResponse], error) {
	head, err := h.store.Claim(ctx, req.Msg.GetRoom())
	if err := h.finish(ctx, "claim", req.Msg.GetRoom(), err); err != nil {
		return nil, err
	}
	h.log.DebugContext(ctx, "claimed", "room", req.Msg.GetRoom(), "owner", req.Msg.GetOwner(), "epoch", head.Epoch)
	return connect.NewResponse(&storagev1.ClaimResponse{
		Epoch:       uint64(head.Epoch),
		LastSeq:     uint64(head.Last),
		SnapshotSeq: uint64(head.SnapshotSeq),
	}), nil
}

// Append implements the RPC.
func (h *Handler) Append(ctx context.Context, req *connect.Request[storagev1.AppendRequest]) (*connect.Response[storagev1.AppendResponse], error) {
	items := make([]store.Item, len(req.Msg.GetItems()))
	for i, item := range req.Msg.GetItems() {
		items[i] = store.Item{
			Room:  item.GetRoom(),
			Epoch: store.Epoch(item.GetEpoch()),
			Seq:   store.Seq(item.GetSeq()),
			Data:  item.GetData(),
		}
	}
	results := make([]*storagev1.AppendResult, len(items))
	for i, r := range h.store.Append(ctx, items) {
		results[i] = h.result(ctx, items[i], r)
	}
	h.metrics.Call("append", resultOK)
	return connect.NewResponse(&storagev1.AppendResponse{Results: results}), nil
}

func (h *Handler) result(ctx context.Context, item store.Item, r store.Result) *storagev1.AppendResult {
	result := &storagev1.AppendResult{
		Status:    appendStatus(r.Err),
		HeadEpoch: uint64(r.Head.Epoch),
		HeadSeq:   uint64(r.Head.Last),
	}
	if r.Err != nil {
		result.Message = r.Err.Error()
		h.report(ctx, "append", item.Room, r.Err)
	}
	h.metrics.Record(resultName(r.Err), r.Err == nil, len(item.Data))
	return result
}

// Delete implements the RPC.
func (h *Handler) Delete(ctx context.Context, req *connect.Request[storagev1.DeleteRequest]) (*connect.Response[storagev1.DeleteResponse], error) {
	existed, err := h.store.Delete(ctx, req.Msg.GetRoom(), store.Epoch(req.Msg.GetEpoch()))
	if err := h.finish(ctx, "delete", req.Msg.GetRoom(), err); err != nil {
		return nil, err
	}
	return connect.NewResponse(&storagev1.DeleteResponse{Existed: existed}), nil
}

// maxHoldings bounds a Check.
const maxHoldings = 10_000

// Check implements the RPC.
func (h *Handler) Check(ctx context.Context, req *connect.Request[storagev1.CheckRequest]) (*connect.Response[storagev1.CheckResponse], error) {
	holdings := make([]store.Holding, len(req.Msg.GetHoldings()))
	for i, held := range req.Msg.GetHoldings() {
		holdings[i] = store.Holding{Room: held.GetRoom(), Epoch: store.Epoch(held.GetEpoch())}
	}
	response := &storagev1.CheckResponse{NoSpace: h.store.Space() != nil}
	err := h.lapses(ctx, holdings, response)
	if err := h.finish(ctx, "check", "", err); err != nil {
		return nil, err
	}
	return connect.NewResponse(response), nil
}

// lapses adds to response what of holdings is lost. What can't be known now is an
// error of the whole call.
func (h *Handler) lapses(ctx context.Context, holdings []store.Holding, response *storagev1.CheckResponse) error {
	if len(holdings) > maxHoldings {
		return store.Errorf(store.Invalid, store.Head{}, "%d holdings: at most %d in one call", len(holdings), maxHoldings)
	}
	for i, err := range h.store.Check(ctx, holdings) {
		if err == nil {
			continue
		}
		reason := answers[store.KindOf(err)].reason
		if reason == storagev1.ErrorReason_ERROR_REASON_UNSPECIFIED {
			return err
		}
		h.report(ctx, "check", holdings[i].Room, err)
		response.Lapses = append(response.Lapses, &storagev1.Lapse{
			Room:      holdings[i].Room,
			Reason:    reason,
			HeadEpoch: uint64(store.HeadOf(err).Epoch),
			Message:   err.Error(),
		})
	}
	return nil
}

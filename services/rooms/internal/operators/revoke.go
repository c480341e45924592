package operators

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/revocation"
	"github.com/fjord-sync/fjord/services/rooms/internal/revocations"
)

// Revoke takes back access, or the right to write.
func (h *Handler) Revoke(ctx context.Context, r *connect.Request[roomsv1.RevokeRequest]) (*connect.Response[roomsv1.RevokeResponse], error) {
	kept, err := h.revoked.Revoke(ctx, &roomsv1.Revocation{
		Subject: r.Msg.GetSubject(),
		Room:    r.Msg.GetRoom(),
		TokenId: r.Msg.GetTokenId(),
		What:    r.Msg.GetWhat(),
		Until:   r.Msg.GetUntil(),
		Note:    r.Msg.GetNote(),
	})
	if err != nil {
		return nil, failed(err)
	}
	return connect.NewResponse(&roomsv1.RevokeResponse{Revocation: kept}), nil
}

// Restore takes a revocation back.
func (h *Handler) Restore(ctx context.Context, r *connect.Request[roomsv1.RestoreRequest]) (*connect.Response[roomsv1.RestoreResponse], error) {
	existed, err := h.revoked.Restore(ctx, revocation.Key{
		Subject: r.Msg.GetSubject(), Room: r.Msg.GetRoom(), TokenID: r.Msg.GetTokenId(),
	})
	if err != nil {
		return nil, failed(err)
	}
	return connect.NewResponse(&roomsv1.RestoreResponse{Existed: existed}), nil
}

// ListRevocations returns a page of what is revoked.
func (h *Handler) ListRevocations(_ context.Context, r *connect.Request[roomsv1.ListRevocationsRequest]) (*connect.Response[roomsv1.ListRevocationsResponse], error) {
	limit, err := limit(r.Msg.GetLimit())
	if err != nil {
		return nil, err
	}
	after, err := readKey(r.Msg.GetAfter())
	if err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, err)
	}
	match := revocation.Key{Subject: r.Msg.GetSubject(), Room: r.Msg.GetRoom(), TokenID: r.Msg.GetTokenId()}
	page, more := h.revoked.Page(match, after, limit)
	response := &roomsv1.ListRevocationsResponse{Revocations: page}
	if more {
		last := page[len(page)-1]
		response.Next = spellKey(revocation.Key{Subject: last.GetSubject(), Room: last.GetRoom(), TokenID: last.GetTokenId()})
	}
	return connect.NewResponse(response), nil
}

// failed translates an error for the wire.
func failed(err error) error {
	switch {
	case errors.Is(err, revocations.ErrInvalid):
		return connect.NewError(connect.CodeInvalidArgument, err)
	case errors.Is(err, revocations.ErrFull):
		return connect.NewError(connect.CodeResourceExhausted, err)
	default:
		return connect.NewError(connect.CodeUnavailable, err)
	}
}

// spellKey returns what a page's end is called: no field of a key has a NUL.
func spellKey(k revocation.Key) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{k.Subject, k.Room, k.TokenID}, "\x00")))
}

var errAfter = errors.New("after: want next of another page, or nothing")

func readKey(after string) (revocation.Key, error) {
	if after == "" {
		return revocation.Key{}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(after)
	fields := strings.Split(string(text), "\x00")
	if err != nil || len(fields) != 3 {
		return revocation.Key{}, errAfter
	}
	return revocation.Key{Subject: fields[0], Room: fields[1], TokenID: fields[2]}, nil
}

//go:build !fjord_ackearly

package badger

const ackEarly = false

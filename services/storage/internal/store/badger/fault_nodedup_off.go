//go:build !fjord_nodedup

package badger

const noDedup = false

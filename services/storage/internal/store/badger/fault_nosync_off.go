//go:build !fjord_nosync

package badger

const noSync = false

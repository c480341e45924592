package badger

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// badgerLog passes Badger's words on to slog. Its "info" is about compactions and
// file numbers, which is debug to everybody else.
type badgerLog struct{ log *slog.Logger }

func (l badgerLog) Errorf(format string, args ...any)   { l.write(slog.LevelError, format, args) }
func (l badgerLog) Warningf(format string, args ...any) { l.write(slog.LevelWarn, format, args) }
func (l badgerLog) Infof(format string, args ...any)    { l.write(slog.LevelDebug, format, args) }

// Debugf drops Badger's debug lines: it writes several for each transaction, and
// their arguments cost more than the transaction.
func (badgerLog) Debugf(string, ...any) {}

func (l badgerLog) write(level slog.Level, format string, args []any) {
	if ctx := context.Background(); l.log.Enabled(ctx, level) {
		l.log.Log(ctx, level, "badger: "+strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

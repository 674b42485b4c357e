package main

import (
	"context"
	"log/slog"
)

// onceHandler keeps the engine's log from saying what the command says itself when the run has ended: why it failed, and the exit code,
// which is another one in a Pod.
type onceHandler struct{ slog.Handler }

const (
	endedMessage   = "the run has ended"
	partialMessage = "the dataset is partial"
)

// Handle passes a record on, without what is said elsewhere.
func (h *onceHandler) Handle(ctx context.Context, record slog.Record) error {
	if record.Message == partialMessage {
		return nil
	}
	if record.Message != endedMessage {
		return h.Handler.Handle(ctx, record)
	}
	// The counts are news; that something is wrong, the command says.
	ended := slog.NewRecord(record.Time, slog.LevelInfo, record.Message, record.PC)
	record.Attrs(func(attribute slog.Attr) bool {
		switch attribute.Key {
		case "exitCode", "reason", "message":
		default:
			ended.AddAttrs(attribute)
		}
		return true
	})
	if !h.Enabled(ctx, slog.LevelInfo) {
		return nil
	}
	return h.Handler.Handle(ctx, ended)
}

// WithAttrs returns a handler that does the same.
func (h *onceHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return &onceHandler{h.Handler.WithAttrs(attributes)}
}

// WithGroup returns a handler that does the same.
func (h *onceHandler) WithGroup(name string) slog.Handler {
	return &onceHandler{h.Handler.WithGroup(name)}
}

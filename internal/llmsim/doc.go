// Package llmsim is a simulated OpenAI-compatible model server, as an http.Handler: answers, latencies and faults are functions of the
// request and of a configuration that can be replaced at run time, and exact counters tell what clients did.
// Nothing here knows who its clients are, listens on a socket or reads a file; the command llmsim and the package simtest do that.
package llmsim

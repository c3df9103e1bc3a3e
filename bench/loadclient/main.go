// Loadclient plays many Envoys on one machine: one connection and one discovery stream each, real acknowledgements.
// It takes commands as lines of JSON on standard input and answers each with a line on standard output; the first line
// is its configuration. It ends with its standard input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

type command struct {
	Do        string  `json:"do"`
	Count     int     `json:"count"`
	Parallel  int     `json:"parallel"`
	Resume    bool    `json:"resume"`
	TimeoutMs int     `json:"timeoutMs"`
	Change    uint32  `json:"change"`
	TickAt    int64   `json:"tickAt"`
	TicksAt   []int64 `json:"ticksAt"`
	Share     float64 `json:"share"`
}

type answer struct {
	Error    string  `json:"error,omitempty"`
	Ms       float64 `json:"ms,omitempty"`
	At       int64   `json:"at,omitempty"`
	Times    *spread `json:"times,omitempty"`
	Missing  int     `json:"missing"`
	Messages int     `json:"messages"`
	Bytes    int     `json:"bytes"`
	// Resources that were sent and names that were removed, over all connections.
	Resources int `json:"resources"`
	Removed   int `json:"removed"`
	Stalled   int `json:"stalled"`
	Closed    int `json:"closed"`
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "certificate" {
		if err := writeCertificate(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	answers := json.NewEncoder(os.Stdout)
	var l *load
	for lines.Scan() {
		var reply answer
		if l == nil {
			var cfg config
			err := json.Unmarshal(lines.Bytes(), &cfg)
			if err == nil {
				l, err = newLoad(cfg)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(2)
			}
		} else {
			var cmd command
			if err := json.Unmarshal(lines.Bytes(), &cmd); err != nil {
				reply.Error = err.Error()
			} else if reply, err = l.run(cmd); err != nil {
				reply.Error = err.Error()
			}
		}
		if err := answers.Encode(reply); err != nil {
			os.Exit(1)
		}
	}
}

func (l *load) run(cmd command) (reply answer, err error) {
	startedAt := monotonic()
	timeout := time.Duration(cmd.TimeoutMs) * time.Millisecond
	switch cmd.Do {
	case "open":
		err = l.open(cmd.Count, max(cmd.Parallel, 1), cmd.Resume, timeout)
	case "await":
		err = l.await(cmd.Change, timeout)
		times := l.sinceTick(cmd.TickAt)
		reply.Times = &times
	case "record":
		l.record()
	case "staleness":
		times, missing, messages := l.staleness(cmd.Change, cmd.TicksAt)
		return answer{Times: &times, Missing: missing, Messages: messages}, nil
	case "stall":
		reply.Stalled = l.stall(cmd.Share)
	case "drop":
		l.drop()
	case "counters":
	default:
		err = fmt.Errorf("no such command: %q", cmd.Do)
	}
	reply.At = startedAt
	reply.Ms = float64(monotonic()-startedAt) / 1e6
	l.mu.Lock()
	defer l.mu.Unlock()
	reply.Messages, reply.Bytes, reply.Closed = l.messages, l.bytes, l.closed
	reply.Resources, reply.Removed = l.resources, l.removed
	return reply, err
}

// Gocp is go-control-plane as a peer in the fan-out benchmark: the bare library on a gRPC server, without callbacks and
// logs. It takes commands as lines of JSON on standard input, as every server of the benchmark does; the first line is
// its configuration. It ends with its standard input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
	"unsafe"
)

type config struct {
	// linear, tuned (LinearCache with a large shared write buffer) or snapshot.
	Mode string `json:"mode"`
	// Cluster load assignments with that many endpoints each; or, with members, one LEDS collection of that many.
	Members   bool `json:"members"`
	Resources int  `json:"resources"`
	Endpoints int  `json:"endpoints"`
	// The ids of the nodes that will connect: NodePrefix0 … Only SnapshotCache needs to know them.
	NodePrefix string `json:"nodePrefix"`
	Nodes      int    `json:"nodes"`
	// Take changes over HTTP, and serve clusters, listeners and routes too.
	API bool `json:"api"`
	// Files in PEM; plain TCP when empty.
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

type command struct {
	Do        string `json:"do"`
	Change    uint32 `json:"change"`
	PerSecond int    `json:"perSecond"`
	Count     int    `json:"count"`
}

type answer struct {
	Address string  `json:"address,omitempty"`
	API     string  `json:"api,omitempty"`
	At      int64   `json:"at,omitempty"`
	TicksAt []int64 `json:"ticksAt,omitempty"`
	Heap    uint64  `json:"heapBytes,omitempty"`
	Error   string  `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	if !lines.Scan() {
		os.Exit(2)
	}
	var cfg config
	err := json.Unmarshal(lines.Bytes(), &cfg)
	var state content
	if err == nil {
		state, err = newContent(cfg)
	}
	var address, api string
	if err == nil {
		address, err = serve(cfg, state)
	}
	if takesChanges, ok := state.(*product); ok && err == nil {
		api, err = takesChanges.listen()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	_ = answers.Encode(answer{Address: address, API: api})
	for lines.Scan() {
		var cmd command
		if err := json.Unmarshal(lines.Bytes(), &cmd); err != nil {
			_ = answers.Encode(answer{Error: err.Error()})
			continue
		}
		_ = answers.Encode(run(state, cmd))
	}
}

func run(state content, cmd command) answer {
	switch cmd.Do {
	case "tick":
		at := monotonic()
		if err := state.apply(cmd.Change); err != nil {
			return answer{Error: err.Error()}
		}
		return answer{At: at}
	case "churn":
		return churn(state, cmd)
	case "info":
		runtime.GC()
		debug.FreeOSMemory()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return answer{Heap: memory.HeapAlloc}
	}
	return answer{Error: fmt.Sprintf("no such command: %q", cmd.Do)}
}

// churn makes changes at a steady pace. A change that starts late still counts from when it was due; a server that is as
// far behind as all was to last makes no more.
func churn(state content, cmd command) answer {
	startedAt := monotonic()
	every := time.Second / time.Duration(cmd.PerSecond)
	reply := answer{}
	for i := range cmd.Count {
		due := startedAt + int64(i)*int64(every)
		if monotonic()-due > int64(cmd.Count)*int64(every) {
			break
		}
		time.Sleep(time.Duration(due - monotonic()))
		if err := state.apply(cmd.Change + uint32(i)); err != nil {
			return answer{Error: err.Error()}
		}
		reply.TicksAt = append(reply.TicksAt, due)
	}
	return reply
}

// monotonic is CLOCK_MONOTONIC in nanoseconds, the clock that every process of this machine shares.
func monotonic() int64 {
	const clockMonotonic = 1
	var now syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	if errno != 0 {
		panic(errno)
	}
	return now.Nano()
}

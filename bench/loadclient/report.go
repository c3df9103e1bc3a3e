package main

import (
	"slices"
	"syscall"
	"unsafe"
)

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

// spread is a distribution of times, in milliseconds.
type spread struct {
	Count int     `json:"count"`
	First float64 `json:"first"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Last  float64 `json:"last"`
}

func spreadOf(nanos []int64) spread {
	if len(nanos) == 0 {
		return spread{}
	}
	slices.Sort(nanos)
	at := func(share float64) float64 {
		return float64(nanos[min(len(nanos)-1, int(share*float64(len(nanos))))]) / 1e6
	}
	return spread{Count: len(nanos), First: at(0), P50: at(0.5), P90: at(0.9), P99: at(0.99), Last: at(1)}
}

// sinceTick is how long after the tick each reading connection had the newest change it has.
func (l *load) sinceTick(tickAt int64) spread {
	l.mu.Lock()
	defer l.mu.Unlock()
	var times []int64
	for _, c := range l.connections {
		if !c.stalled {
			times = append(times, c.changeAt-tickAt)
		}
	}
	return spreadOf(times)
}

// staleness is, over all reading connections and all changes, how long after its tick a change, or a newer one, was
// there. Changes count from `first`; those that a connection has not seen are left out and counted.
func (l *load) staleness(first uint32, tickAt []int64) (times spread, missing, messages int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []int64
	for _, c := range l.connections {
		messages += len(c.history)
		if c.stalled {
			continue
		}
		next := 0
		for _, receipt := range c.history {
			for next < len(tickAt) && first+uint32(next) <= receipt.change {
				all = append(all, receipt.at-tickAt[next])
				next++
			}
		}
		missing += len(tickAt) - next
	}
	return spreadOf(all), missing, messages
}

func (l *load) record() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.connections {
		c.history = nil
	}
	l.recording = true
}

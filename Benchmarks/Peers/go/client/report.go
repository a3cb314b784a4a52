// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Counts of latencies, 128 steps for each power of two.
type histogram struct {
	counts []uint32
	total  uint64
}

const stepBits = 7

func newHistogram() *histogram { return &histogram{counts: make([]uint32, (65-stepBits)<<stepBits)} }

func (h *histogram) record(nanoseconds uint64) {
	h.total++
	exponent := bits.Len64(nanoseconds) - 1 - stepBits
	if exponent < 0 {
		h.counts[nanoseconds]++
		return
	}
	h.counts[uint64(exponent+1)<<stepBits+nanoseconds>>uint(exponent)&(1<<stepBits-1)]++
}

func (h *histogram) add(other *histogram) {
	for i, count := range other.counts {
		h.counts[i] += count
	}
	h.total += other.total
}

// The latency in microseconds that a share of all do not exceed; nil without any.
func (h *histogram) microseconds(share float64) *float64 {
	rank, seen := uint64(share*float64(h.total)), uint64(0)
	for i, count := range h.counts {
		if seen += uint64(count); seen > rank {
			value := float64(i)
			if exponent := i >> stepBits; exponent > 0 {
				value = (float64(i&(1<<stepBits-1)+1<<stepBits) + 0.5) * float64(uint64(1)<<uint(exponent-1))
			}
			value /= 1000
			return &value
		}
	}
	return nil
}

// The time and the microseconds of processor time that two processes have used until then.
type moment struct {
	at             time.Time
	client, server float64
}

func now() moment {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	own := float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1000
	return moment{at: time.Now(), client: own, server: processor(*pid)}
}

// Linux counts ticks of 10 ms; -1 when the process is unknown.
func processor(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return -1
	}
	// The name in parentheses may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')'):]))
	user, _ := strconv.ParseFloat(fields[12], 64)
	system, _ := strconv.ParseFloat(fields[13], 64)
	return (user + system) * 1e4
}

// Prints the line of JSON and returns the number of errors.
func report(lanes []*lane, from, to moment) int {
	latency, operations, failed := newHistogram(), uint64(0), 0
	for _, lane := range lanes {
		latency.add(lane.latency)
		operations += lane.operations
		failed += lane.errors
	}
	elapsed := to.at.Sub(from.at).Seconds()
	each := func(from, to float64) *float64 {
		value := (to - from) / float64(operations)
		if operations == 0 || from < 0 || to < 0 {
			return nil
		}
		return &value
	}
	line, _ := json.Marshal(map[string]interface{}{
		"rps": float64(operations) / elapsed, "ops": operations, "errors": failed, "seconds": elapsed,
		"p50_us": latency.microseconds(0.5), "p90_us": latency.microseconds(0.9),
		"p99_us": latency.microseconds(0.99), "p999_us": latency.microseconds(0.999),
		"client_cpu_us_per_op": each(from.client, to.client), "server_cpu_us_per_op": each(from.server, to.server),
		"mode": *mode, "concurrency": *concurrency, "connections": *connections, "payload": *size,
	})
	fmt.Println(string(line))
	return failed
}

//go:build !linux

package main

import "time"

const wholeProcess, thisThread = 0, 0

// cpu is always 0: the processor time of a thread is told by Linux only. Sizes are right.
func cpu(int) time.Duration { return 0 }

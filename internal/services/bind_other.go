//go:build !linux

package services

import "os/exec"

// bind does nothing here: only Linux can end a process with the one that started it.
func bind(*exec.Cmd) {}

func killAll(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

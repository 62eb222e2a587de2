// Command cmd builds all programs that a real network on this machine is made of, so that tests which need them do not
// wait. It prints the folder of each set.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/foodtrace-ledger/foodtrace/internal/tools"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, set := range []tools.Set{tools.Fabric, tools.FabricCA, tools.Minio, tools.Versity} {
		bin, err := tools.Build(ctx, set, os.Stderr)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(bin)
	}
}

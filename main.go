// Command dargah is a gateway for Iranian identity and SMS web services.
package main

import (
	"os"

	"dargah.dev/dargah/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}

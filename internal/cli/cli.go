// Package cli owns the command line: what can be said, what is printed, and
// exit statuses. 0 is success, 1 a failure, 2 a command that cannot be read.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

const about = `Dargah (درگاه) is a self-hosted gateway for Iranian identity inquiry and SMS web services.
It speaks the APIs of itsaaz, smsafzar, sabapayamak and uid exactly as their pages describe them.`

type commands struct {
	Sandbox sandbox    `cmd:"" help:"Serve the four APIs on this machine, with made-up people and money."`
	Serve   serve      `cmd:"" help:"Serve the four APIs to customers, from an installation of your own."`
	Init    initialise `cmd:"" help:"Make an installation: its schema and master key. Harmless when repeated."`
	Config  inForce    `cmd:"" help:"Print the settings in force and where each comes from, passwords masked."`
	Health  health     `cmd:"" help:"Ask the server on this machine whether it can serve; exit status 0 if so."`

	Domain   domains    `cmd:"" help:"The tenants that accounts belong to." group:"Who may call"`
	Account  accounts   `cmd:"" help:"The customers' accounts." group:"Who may call"`
	Wallet   wallets    `cmd:"" help:"The customers' money." group:"Who may call"`
	Line     lines      `cmd:"" help:"Sender lines (virtual numbers)." group:"Who may call"`
	Client   clients    `cmd:"" help:"OAuth clients." group:"Who may call"`
	Business businesses `cmd:"" help:"Business credentials (uid)." group:"Who may call"`
	Key      keys       `cmd:"" help:"API keys (smsafzar)." group:"Who may call"`

	Template templates `cmd:"" help:"Templates of messages." group:"Messages"`
	Block    blocks    `cmd:"" help:"Recipients who get nothing from a line." group:"Messages"`
	Incoming inboxes   `cmd:"" help:"Messages from phones." group:"Messages"`
	Webhook  webhooks  `cmd:"" help:"Where accounts hear what became of their messages." group:"Messages"`
	Operator operators `cmd:"" help:"The ways out to the phones." group:"Messages"`
	Message  messages  `cmd:"" help:"Messages that were sent." group:"Messages"`

	Price    prices     `cmd:"" help:"What an answer of a service costs." group:"What is answered"`
	Origin   origins    `cmd:"" help:"Browser origins that may call." group:"What is answered"`
	Scenario scenarios  `cmd:"" help:"What goes wrong on demand." group:"What is answered"`
	Person   people     `cmd:"" help:"The register of people." group:"What is answered"`
	Report   reports    `cmd:"" help:"Credit reports." group:"What is answered"`
	Import   importFile `cmd:"" help:"Add what a fixtures file has to an installation." group:"What is answered"`

	Audit   trail   `cmd:"" help:"Verify, export and erase the records of calls."`
	Move    move    `cmd:"" help:"Move an installation from SQLite to PostgreSQL, and prove that the copy is exact."`
	Doctor  doctor  `cmd:"" help:"Look at an installation and what it rests on, and say what to do; exit status 1 where there is a problem."`
	Version version `cmd:"" help:"Print the version."`
}

// console is where a command reads and writes.
type console struct {
	context.Context
	in       io.Reader
	out, err io.Writer
}

// Main runs one command and gives the exit status of the process.
func Main(args []string, out, err io.Writer) (status int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, args, out, err)
}

type exit int

func run(ctx context.Context, args []string, out, err io.Writer) (status int) {
	defer func() {
		if p := recover(); p != nil {
			code, asked := p.(exit)
			if !asked {
				panic(p)
			}
			status = int(code)
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var c commands
	parser, fault := kong.New(&c, kong.Name("dargah"), kong.Description(about), kong.Writers(out, err),
		kong.Vars{"example": "`dargah config --example` prints one"},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { panic(exit(code)) }))
	if fault != nil {
		panic(fault) // the struct above cannot be read: a bug that every test would see
	}
	chosen, fault := parser.Parse(args)
	if fault != nil {
		fmt.Fprintf(err, "dargah: %v\nSay `%s --help` to see what can be said.\n", fault, mistaken(fault))
		return 2
	}
	if fault := chosen.Run(&console{Context: ctx, in: os.Stdin, out: out, err: err}); fault != nil {
		fmt.Fprintf(err, "dargah: %v\n", fault)
		if errors.As(fault, new(misuse)) {
			return 2
		}
		return 1
	}
	return 0
}

// mistaken is the command that a mistake was made with, as far as it is known.
func mistaken(fault error) string {
	var p *kong.ParseError
	if errors.As(fault, &p) && p.Context != nil {
		if chosen := p.Context.Selected(); chosen != nil {
			return strings.TrimSpace(chosen.FullPath())
		}
	}
	return "dargah"
}

type version struct{}

func (version) Run(c *console) error {
	build, commit := "development", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" && info.Main.Version != "(devel)" {
			build = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = ", commit " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(c.out, "dargah %s (%s %s/%s%s)\n", build, runtime.Version(), runtime.GOOS, runtime.GOARCH, commit)
	return err
}

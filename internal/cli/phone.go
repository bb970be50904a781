package cli

import (
	"strconv"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/app"
	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/store"
)

type blocks struct {
	Add    blockAdd    `cmd:"" help:"Let a recipient get nothing more from a line."`
	Remove blockRemove `cmd:"" help:"Let them get messages of the line again."`
	List   blockList   `cmd:"" help:"Count those who are blocked, by line. Who they are is not kept, but as keyed hashes."`
}

// ofBlock names a line and a recipient.
type ofBlock struct {
	Line   string `arg:"" help:"The line, in any spelling."`
	Number string `arg:"" help:"The recipient's mobile number."`
}

func (b ofBlock) read() (store.Block, error) {
	given, err := fixture.ReadBlock(fixture.Given{"line": b.Line, "number": b.Number}, named(b.Line))
	if err != nil {
		return store.Block{}, mistyped(err)
	}
	return app.NewBlocks([]fixture.Block{given})[0], nil
}

// named takes the line that was given for one that is there: whether it is, the
// store says.
func named(line string) []fixture.Line { return []fixture.Line{{Number: account.LineKey(line)}} }

type blockAdd struct {
	acting
	ofBlock
}

func (b blockAdd) Run(c *console) error {
	block, err := b.read()
	if err != nil {
		return err
	}
	return b.tell(c, store.Act{Service: "block", Method: "add", Which: block.Line}, func(change *store.Change) error { return change.AddBlock(block) },
		"the recipient gets nothing more from line %s", block.Line)
}

type blockRemove struct {
	acting
	ofBlock
}

func (b blockRemove) Run(c *console) error {
	block, err := b.read()
	if err != nil {
		return err
	}
	return b.tell(c, store.Act{Service: "block", Method: "remove", Which: block.Line}, func(change *store.Change) error { return change.RemoveBlock(block) },
		"the recipient gets messages of line %s again", block.Line)
}

type blockList struct {
	installation
	shown
}

func (l blockList) Run(c *console) error {
	return l.look(c, func(s *store.Store) error {
		all, err := s.CountBlocks(c)
		if err != nil {
			return err
		}
		t := table{{"line", "recipients", "by their own wish", "first", "last"}}
		for _, b := range all {
			t.row(b.Line, strconv.FormatInt(b.Recipients, 10), strconv.FormatInt(b.ByWish, 10), dateOf(b.First), dateOf(b.Last))
		}
		return l.print(c, append([]store.Blocked{}, all...), t.print)
	})
}

type inboxes struct {
	Add incomingAdd `cmd:"" help:"Put a message into a line's inbox, as if a phone had sent it; webhooks hear of it."`
}

type incomingAdd struct {
	acting
	Line   string `arg:"" help:"The line, in any spelling."`
	Sender string `arg:"" help:"Who sent it: a mobile number, or another number or name."`
	Text   string `arg:"" help:"What it says."`
	Age    string `help:"How long ago it came: 5m, 2h, 3d." placeholder:"SPAN" default:"0s"`
	Read   bool   `help:"It was read."`
}

func (i incomingAdd) Run(c *console) error {
	given, err := fixture.ReadIncoming(fixture.Given{"line": i.Line, "sender": i.Sender, "text": i.Text, "age": i.Age, "read": i.Read}, named(i.Line))
	if err != nil {
		return mistyped(err)
	}
	message := app.NewIncoming([]fixture.Incoming{given}, time.Now())[0]
	var id int64
	err = i.change(c, store.Act{Service: "incoming", Method: "add", Which: given.Line}, func(change *store.Change) (err error) {
		id, err = change.AddIncoming(message)
		return err
	})
	if err != nil {
		return err
	}
	return shown{}.done(c, nil, "message %d is in the inbox of line %s", id, given.Line)
}

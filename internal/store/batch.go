package store

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/closing"
	"dargah.dev/dargah/internal/job"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/seal"
	"dargah.dev/dargah/internal/sms"
)

// numberHash is the purpose of the hash under which an account's messages to,
// or from, a number are looked up.
const numberHash = "sms number"

// hashNumber is of 16 bytes: it tells numbers apart, and is in an index.
func hashNumber(keys *seal.Keyring, account, number string) []byte {
	return keys.Hash(numberHash, account+"\x00"+number)[:16]
}

// parcel is a batch as it goes into the database: all that can be made of it
// before the committer takes it, who has little time.
type parcel struct {
	id, due  int64
	batch    []any // parameters of rows
	messages []any
	job      []any // none where nothing is to be sent
	amount   int64
	spends   []spend
}

// spend is what a batch takes of what its account, or a line, may send in a day.
type spend struct {
	where            spot
	cap              int64 // of amount, or of messages where it is a line; 0 is any
	amount, messages int64
}

// spot is a key of table spent.
type spot struct {
	account, line string
	day           int64
}

// errBatch says nothing about what is in the batch.
var errBatch = errors.New("the closing's batch, its charge and its record do not belong together")

// pack makes a parcel of a closing's batch; nil where it has none.
func (s *Store) pack(c *closing.Closing) (*parcel, error) {
	b := c.Batch
	if b == nil {
		return nil, nil
	}
	if err := consistent(c); err != nil {
		return nil, err
	}
	if err := named(b.Account, b.Call); err != nil {
		return nil, err
	}
	what, err := s.keys.Seal(appendBatch(nil, b.Messages), sealedBatch(b.ID))
	if err != nil {
		return nil, err
	}
	p := &parcel{id: b.ID, due: micros(b.Due), amount: int64(b.Price), messages: make([]any, 0, messageColumns*len(b.Messages))}
	p.batch = []any{b.ID, b.Account, b.Call, micros(b.At), p.due, micros(b.Expires),
		int64(b.Priority), flag(b.Once), len(b.Messages), p.amount, flag(b.Cap > 0), what}
	for i := range b.Messages {
		m := &b.Messages[i]
		p.messages = append(p.messages, m.ID, b.ID, hashNumber(s.keys, b.Account, m.Recipient.Local()),
			int64(m.State), m.Parts, int64(m.Price), micros(b.At))
		if m.State == sms.Queued && p.job == nil {
			p.job = []any{job.Send, b.ID, int64(b.Priority), p.due}
		}
	}
	p.spends = spends(b)
	return p, nil
}

// consistent refuses a closing that charges something else than its batch costs.
func consistent(c *closing.Closing) error {
	b := c.Batch
	var sum rial.Amount
	for i := range b.Messages {
		m := &b.Messages[i]
		if m.ID != b.ID+int64(i) || m.Price < 0 || m.State != sms.Queued && m.State != sms.Blocked || m.State.Free() && m.Price != 0 {
			return errBatch
		}
		sum += m.Price
	}
	if b.ID <= 0 || len(b.Messages) == 0 || sum != b.Price || b.Price != c.Charge.Amount || b.Call != c.Record.Call || b.Call == "" ||
		c.Charge.Account != b.Account || c.Charge.Held > 0 && c.Charge.Held < b.Price {
		return errBatch
	}
	return nil
}

// spends are what a batch takes of each bound that holds for it.
func spends(b *sms.Batch) (all []spend) {
	day := dayOf(b.At)
	if b.Cap > 0 {
		all = append(all, spend{spot{b.Account, "", day}, int64(b.Cap), int64(b.Price), countSent(b, "")})
	}
	for _, d := range b.Daily {
		key := account.LineKey(d.Line)
		if n := countSent(b, key); n > 0 && d.Messages > 0 {
			all = append(all, spend{spot{b.Account, key, day}, int64(d.Messages), 0, n})
		}
	}
	return all
}

// countSent counts what is to go out by a line, by its key; by any where it is
// empty.
func countSent(b *sms.Batch, line string) (n int64) {
	for i := range b.Messages {
		if m := &b.Messages[i]; m.State == sms.Queued && (line == "" || account.LineKey(m.Line) == line) {
			n++
		}
	}
	return n
}

// dayOf is a moment's day in Tehran, counted from 1970.
func dayOf(t time.Time) int64 {
	_, offset := t.In(persian.Tehran).Zone()
	return (t.Unix() + int64(offset)) / (24 * 60 * 60)
}

func sealedBatch(id int64) string { return "batch/" + strconv.FormatInt(id, 10) }

// batchCompact is the form of what is sealed in a batch: lines and texts, each
// once, and for each message which of them it has, its recipient and alphabet.
const batchCompact = 1

func appendBatch(b []byte, messages []sms.Message) []byte {
	var lines, texts []string
	for i := range messages {
		lines, texts = once(lines, messages[i].Line), once(texts, messages[i].Text)
	}
	b = appendTexts(appendTexts(append(b, batchCompact), lines), texts)
	for i := range messages {
		m := &messages[i]
		b = binary.AppendUvarint(b, uint64(slices.Index(lines, m.Line))) //nolint:gosec // it is there
		b = binary.AppendUvarint(b, uint64(slices.Index(texts, m.Text))) //nolint:gosec // it is there
		b = appendText(append(b, byte(m.Coding)), m.Recipient.Local())
	}
	return b
}

func once(all []string, one string) []string {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// openBatch fills in what was sealed of a batch's messages. An erased batch has
// nothing to fill in.
func openBatch(keys *seal.Keyring, id int64, sealed []byte, messages []sms.Message) error {
	if len(sealed) == 0 {
		return nil
	}
	plain, err := keys.Unseal(sealed, sealedBatch(id))
	if err != nil {
		return err
	}
	if len(plain) == 0 || plain[0] != batchCompact {
		return errRow
	}
	from := rowReader{rest: string(plain[1:])}
	lines, texts := from.texts(), from.texts()
	for i := range messages {
		line, text, coding, recipient := from.number(), from.number(), from.octet(), from.text()
		if from.short || line >= len(lines) || text >= len(texts) {
			return errRow
		}
		m := &messages[i]
		m.Line, m.Text, m.Coding = lines[line], texts[text], sms.Coding(coding)
		if m.Recipient, err = persian.ParseMobile(recipient); err != nil {
			return errRow
		}
	}
	return nil
}

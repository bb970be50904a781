package smsafzar

import (
	"context"
	"regexp"
	"strconv"

	"dargah.dev/dargah/internal/admission"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/sms"
)

// fieldMessages is spelled as on the page.
const fieldMessages = "sentMessageIdes"

// guid is what ids look like, in the page's sample and in ours.
var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// decodeStatus reads the names of messages/status. One that looks like any name
// is answered, whoever made it; what is none at all is a mistake.
func decodeStatus(r *dialect.Request) ([]string, error) {
	f, err := readBody(r)
	if err != nil {
		return nil, err
	}
	var names []string
	f.texts(fieldMessages, func(text, field string) {
		name := f.long(persian.Clean(text), field, 1)
		if !guid.MatchString(name) {
			f.wrong(field, fault.Form)
		}
		names = append(names, name)
	})
	return names, f.fault()
}

// found are the messages that were asked for, by name.
type found map[string]sms.Message

func status(deps Deps) dialect.Steps {
	return dialect.Sale[[]string, found]{
		Open: func(r *dialect.Request, _ *admission.Pass) ([]string, error) { return decodeStatus(r) },
		Ask: func(ctx context.Context, p *admission.Pass, names []string) (found, string, error) {
			messages, err := deps.lookUp(ctx, p.Account.ID, names)
			return messages, "", err
		},
		Encode: encodeStatus,
	}.Steps()
}

// lookUp leaves out what the account has not sent.
func (d Deps) lookUp(ctx context.Context, account string, names []string) (found, error) {
	byID := map[int64][]string{} // the same message may be asked for in several spellings
	var ids []int64
	for _, name := range names {
		id, ok := d.Names.ParseMessage(name)
		if !ok {
			continue
		}
		if byID[id] == nil {
			ids = append(ids, id)
		}
		byID[id] = append(byID[id], name)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	messages, err := d.Messages(ctx, account, ids)
	if err != nil {
		return nil, err
	}
	all := make(found, len(messages))
	for i := range messages {
		for _, name := range byID[messages[i].ID] {
			all[name] = messages[i]
		}
	}
	return all, nil
}

func statusOfBatch(deps Deps) dialect.Steps {
	return dialect.Sale[int64, sms.Batch]{
		Open: func(r *dialect.Request, _ *admission.Pass) (int64, error) { return batchOf(deps.Names, r) },
		Ask: func(ctx context.Context, p *admission.Pass, id int64) (sms.Batch, string, error) {
			batches, err := deps.Sent(ctx, sms.Sent{Account: p.Account.ID, Batch: id, Limit: 1})
			if err != nil {
				return sms.Batch{}, "", err
			}
			if len(batches) == 0 {
				return sms.Batch{}, "", fault.New(fault.NotFound)
			}
			return batches[0], "", nil
		},
		Encode: func(_ *dialect.Request, _ int64, b sms.Batch) (dialect.Reply, error) {
			return encodeBatchStatus(deps.Names, b)
		},
	}.Steps()
}

const (
	fieldCount = "count"
	maxCount   = 100 // the page's
)

// decodeCount reads how many messages messages/received/recent is asked for. The
// page has one text for all that is no such number.
func decodeCount(r *dialect.Request) (int, error) {
	fields, err := r.Query()
	if err != nil {
		return 0, err
	}
	text, _ := fields.Get(fieldCount)
	n, err := strconv.Atoi(persian.Clean(text))
	if _, twice := fields.Repeated(); err != nil || twice || n < 1 || n > maxCount {
		return 0, fault.Bad(fault.Field{Name: fieldCount, Rule: fault.Range, Min: 1, Max: maxCount})
	}
	return n, nil
}

// received gives the same messages however often it is asked: what is recent
// does not depend on who has seen it.
func received(deps Deps) dialect.Steps {
	return dialect.Sale[int, []sms.Incoming]{
		Open: func(r *dialect.Request, _ *admission.Pass) (int, error) { return decodeCount(r) },
		Ask: func(ctx context.Context, p *admission.Pass, n int) ([]sms.Incoming, string, error) {
			messages, err := deps.Incoming(ctx, sms.Inbox{Account: p.Account.ID, Limit: n})
			return messages, "", err
		},
		Encode: func(_ *dialect.Request, _ int, messages []sms.Incoming) (dialect.Reply, error) {
			return encodeReceived(deps.Names, messages)
		},
	}.Steps()
}

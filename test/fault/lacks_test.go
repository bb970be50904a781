package fault_test

import (
	"go/parser"
	"go/token"
	"testing"
)

// edit takes a guarantee out of a build: in a file of the repository, one
// piece of text becomes another. The file itself stays as it is.
type edit struct{ file, old, new string }

const noticeSent = "t.Status, t.Note = c.client.Send(ctx, w, n.Name(), body)"

// lacks are the builds without a guarantee, by what they are like. The tests
// that must catch them say what is missing.
var lacks = map[string][]edit{
	"stale": {{
		file: "internal/store/wallet.go",
		old:  "return balance(ctx, s.reader, account)\n",
		new:  "return s.wallets.balance(account), nil\n",
	}},
	"boastful": {{
		file: "internal/store/order.go",
		old:  "err := o.wait(ctx, &s.queue)\n",
		new:  "err := o.wait(ctx, &s.queue)\n\tif o.refusal == nil {\n\t\terr = nil\n\t}\n",
	}},
	"normal": {{"internal/store/sqlite.go", `"_synchronous":  {"FULL"}`, `"_synchronous":  {"NORMAL"}`},
		{"internal/store/sqlite.go", "const full = 2\n", "const full = 1\n"}},
	"unwritten": {{
		file: "internal/store/group.go",
		old:  "\tg.statements = g.sql.reserved.statements(g.statements, g.reserved, false, nil)\n",
		new:  "",
	}},
	"split": {{
		file: "internal/store/group.go", old: "	g.writeFamilies()\n	g.writeSends()\n", new: "	g.writeFamilies()\n",
	}, {
		file: "internal/store/group.go",
		old:  "	return g.session.tell(g.statements)\n}\n",
		new: "	if err := g.session.tell(g.statements); err != nil {\n		return err\n	}\n" +
			"	g.statements = g.statements[:0]\n	g.writeSends()\n	return g.session.tell(g.statements)\n}\n",
	}},
	"keyless": {{
		file: "internal/gateway/repeat.go",
		old:  "if !c.route.Priced || len(values) == 0 {\n",
		new:  "if true {\n",
	}},
	"early": {{
		file: "internal/store/order.go",
		old:  "err := o.wait(ctx, &s.queue)\n",
		new:  "go func() { _ = o.wait(context.Background(), &s.queue) }()\n\tif s != nil {\n\t\treturn nil\n\t}\n\tvar err error\n",
	}},
	"patient": {{"internal/store/order.go", "const patience = 2 * time.Second", "const patience = time.Hour"},
		{"internal/store/postgres.go", "answerLimit    = 1800 * time.Millisecond", "answerLimit    = time.Hour"},
		{"internal/store/postgres.go", "readLimit = 1800 * time.Millisecond", "readLimit = time.Hour"}},
	"waiting": {{
		file: "internal/store/order.go",
		old:  "return err // the committer may have it still\n",
		new:  "go func() { <-o.done }()\n\t\treturn err\n",
	}},
	"unconnected": {{
		file: "internal/store/postgres_session.go",
		old:  "\tif !s.lost() {\n\t\treturn nil\n\t}\n",
		new:  "\tif s.conn != nil {\n\t\treturn nil\n\t}\n",
	}},
	"lonely": {{
		file: "internal/limit/shared.go",
		old:  "ok, after, err := s.Remote.Take(key, perSecond)\n",
		new:  "ok = true\n\tvar err error\n",
	}},
	"open": {{
		file: "internal/limit/shared.go",
		old:  "ok, after = s.part.Take(key, s.share(perSecond))\n",
		new:  "ok = true\n",
	}},
	"forgetful": {{
		file: "internal/store/family.go",
		old:  "f.rotatedAt, f.changed = now, true\n",
		new:  "f.rotatedAt = now\n",
	}},
	"abrupt": {{
		file: "internal/cli/serve.go",
		old:  "return min(drain/5, longestNotice) }",
		new:  "return min(drain/5, longestNotice) * 0 }",
	}},
	"unmarked": {{
		file: "internal/dispatch/send.go", old: "m.unsure, m.again, m.Doubt = true, true, true", new: "m.again = true",
	}},
	"literal": {{
		file: "internal/operator/key.go", old: "	for _, base := range [][2]int{{10, 16}, {16, 10}} {", new: "	for _, base := range [][2]int{} {",
	}},
	"trusting": {{
		file: "internal/dispatch/gather.go", old: "	case err := <-i.err:\n		return err\n", new: "	default:\n		return nil\n",
	}},
	"hurried": {{
		file: "internal/operator/smpp/smpp.go", old: "pace: newPace(o.settings.PartsPerSecond, o.changed)", new: "pace: newPace(0, o.changed)",
	}},
	"deaf": {{
		file: "internal/app/node.go",
		old:  "accounts: a.ReloadAccounts, families: a.store.LoadFamilies,",
		new:  "accounts: func(context.Context) error { return nil }, families: func(context.Context) error { return nil },",
	}},
	"graceful": {{
		file: "internal/store/family.go",
		old:  "r.Generation == f.generation-1 && now-f.rotatedAt <= token.Grace.Microseconds():",
		new:  "r.Generation < f.generation && f.rotatedAt <= now:",
	}},
	"unpaid": {{
		file: "internal/store/group.go",
		old:  "if w.balance < amount {\n\t\treturn false\n\t}\n\tg.post(w, o.Record.Call, ledger.Charge, -amount)\n",
		new:  "g.post(w, o.Record.Call, ledger.Charge, -amount)\n\tw.balance += amount\n",
	}},
	"hasty": {{"internal/courier/courier.go", noticeSent,
		"_, _ = c.books.Tried(ctx, c.holder, []webhook.Try{{Notice: n.ID, Webhook: w.ID, At: c.o.Now(), Outcome: webhook.Arrived}})\n\t\t" + noticeSent}},
	"renaming": {{"internal/courier/courier.go", noticeSent, `t.Status, t.Note = c.client.Send(ctx, w, "msg_"+rand.Text(), body)`}},
}

// TestControlsFollowTheCode: each build that lacks something can still be made.
// The tests that make them run at night alone.
func TestControlsFollowTheCode(t *testing.T) {
	t.Parallel()
	for name, edits := range lacks {
		for _, file := range edited(t, name, edits) {
			if _, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

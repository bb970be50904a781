package store_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/audit"
	"dargah.dev/dargah/internal/fault"
	"dargah.dev/dargah/internal/inquiry/credit"
	"dargah.dev/dargah/internal/persian"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/store"
	"dargah.dev/dargah/internal/store/storetest"
)

const movedPeople = 1500

// settlement is the files of an installation that was inhabited.
var settlement struct {
	sync.Mutex
	files map[string][]byte
}

// inhabited is a folder with some of everything that an installation keeps: a
// copy of one that is filled once.
func inhabited(t *testing.T) store.Location {
	t.Helper()
	settlement.Lock()
	defer settlement.Unlock()
	if settlement.files == nil {
		settlement.files = folder(t, settled(t).Dir)
	}
	dir := t.TempDir()
	for name, content := range settlement.files {
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return store.Folder(dir)
}

// settled fills a folder.
func settled(t *testing.T) store.Location {
	t.Helper()
	at := store.Folder(t.TempDir())
	s := storetest.Must(t, place(t, at), store.Options{})
	storetest.Fund(t, s, 1_000_000, 3)
	ctx := t.Context()
	must(t, s.PutAccounts(ctx, []store.Account{{Balance: 70, Account: account.Account{
		ID: "whole", Number: 99, Domain: "example", Username: "کاربر", TokenDays: 1, Rate: 5,
		Lines:    []account.Line{{Number: "30001234"}, {Number: "30001235", Suspended: true}},
		Clients:  []account.Client{{ID: "client", SecretHash: [32]byte{1}, PasswordGrant: true}},
		Business: []account.Business{{ID: "business", TokenHash: [32]byte{2}}},
		APIKeys:  []account.APIKey{{ID: "key", Hash: [32]byte{3}}}, Prices: map[string]rial.Amount{"sms": 1},
		Templates: []account.Template{{ID: "TydSt2skQE", Body: "کد: {code}\n"}},
	}}}))
	blocked, err := persian.ParseMobile("09120000001")
	must(t, err)
	must(t, s.PutBlocks(ctx, []store.Block{{Line: "30001234", Recipient: blocked}}))
	must(t, s.PutPrices(ctx, map[string]int64{"person": 1000, "Zip": 1, "zip": 2, "~": 0}))
	for _, name := range []string{"a", "B", "é", "_", "ی", "\U0001F511", "a b"} { // no two ways to sort agree on these
		must(t, s.PutSetting(ctx, "test/"+name, strings.Repeat(name, 3)))
	}
	must(t, s.PutSetting(ctx, "test/nothing", ""))
	if _, err := s.Secret(ctx, "test", func() []byte { return []byte("kept") }); err != nil {
		t.Fatal(err)
	}
	must(t, s.PutPeople(ctx, storetest.People(0, movedPeople), nil))
	must(t, s.PutPeople(ctx, storetest.People(0, 1), nil)) // who is told to nodes
	must(t, s.PutReports(ctx, storetest.Code(1), []credit.Report{{Source: 1, Score: 700, Grade: "A1", Made: time.Now()}}))
	must(t, s.WriteTally(ctx, map[audit.Garbage]int64{{Minute: 5, Peer: netip.MustParseAddr("2001:db8::1"), Dialect: "uid", Outcome: fault.Credit}: 7}))
	lived(t, s)
	texted(t, s)
	storetest.Close(t, s)
	alter(t, at, `INSERT INTO lease VALUES ('chores', 'node', 9223372036854775807); INSERT INTO node VALUES ('node', -1);`+odd)
	return at
}

package app

import (
	"dargah.dev/dargah/internal/account"
	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/dialect/itsaaz"
	"dargah.dev/dargah/internal/dialect/sabapayamak"
	"dargah.dev/dargah/internal/dialect/smsafzar"
	"dargah.dev/dargah/internal/dialect/uid"
	"dargah.dev/dargah/internal/token"
)

// dialects lists every way in which this Dargah is spoken to.
func dialects(s sold, book *account.Book, mint *token.Mint, c config.Config) []*dialect.Dialect {
	return []*dialect.Dialect{
		itsaaz.New(itsaaz.Deps{Grant: mint.Grant, Credit: s.credit.Ask}),
		smsafzar.New(smsafzar.Deps{
			Grant: mint.Grant, Balance: s.balance, Names: s.sms.names,
			Send: s.sms.Send, Messages: s.sms.Messages, Sent: s.sms.Sent, Incoming: s.sms.Incoming,
		}),
		sabapayamak.New(sabapayamak.Deps{
			Grant: mint.Grant, Balance: s.balance, Camel: c.DataNames == "camel",
			Domain: func(host string) string { return book.Now().HostDomain(host) },
			Send:   s.sms.Send, Sent: s.sms.Sent, Incoming: s.sms.Incoming, Entries: s.sms.Entries,
		}),
		uid.New(uid.Deps{Person: s.person.Ask, Outside: s.person.Outside}),
	}
}

package cli

// accounts are the commands about customers' accounts.
type accounts struct {
	Statement accountStatement `cmd:"" help:"Print every movement of a wallet."`
}

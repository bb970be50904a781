package smsafzar

import (
	"net/http"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/token"
)

// unit is what amounts are in. The page promises the unit and hides its name
// and value (README, "Ours").
const unit = "ریال"

type tokenReply struct {
	Token string `json:"token"`
}

// balanceReply has the amount first: a client that reads whichever number
// comes first is right.
type balanceReply struct {
	Balance rial.Amount `json:"balance"`
	Unit    string      `json:"unit"`
}

func encodeToken(_ *dialect.Request, _ token.Request, a token.Issued) (dialect.Reply, error) {
	return dialect.JSON(http.StatusOK, tokenReply{Token: a.Access})
}

func encodeBalance(_ *dialect.Request, _ struct{}, a rial.Amount) (dialect.Reply, error) {
	return dialect.JSON(http.StatusOK, balanceReply{Balance: a, Unit: unit})
}

package smsafzar

import (
	"net/http"
	"time"

	"dargah.dev/dargah/internal/dialect"
	"dargah.dev/dargah/internal/rial"
	"dargah.dev/dargah/internal/sms"
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

// sendReply is the answer of all methods that send, so that one reader of
// answers is enough; the messages stand in the order of their recipients.
type sendReply struct {
	Batch    string   `json:"batchId"`
	Messages []string `json:"messageIds"`
}

func encodeBatch(names *sms.Names, b *sms.Batch) (dialect.Reply, error) {
	reply := sendReply{Batch: names.Batch(b.ID), Messages: make([]string, len(b.Messages))}
	for i := range b.Messages {
		reply.Messages[i] = names.Message(b.Messages[i].ID)
	}
	return dialect.JSON(http.StatusOK, reply)
}

type cancelReply struct {
	Batch string `json:"batchId"`
}

func encodeCancelled(names *sms.Names, c sms.Cancel) (dialect.Reply, error) {
	return dialect.JSON(http.StatusOK, cancelReply{Batch: names.Batch(c.Batch)})
}

// delivery is a status as callers know it.
type delivery struct {
	code int
	text string
}

// noMessage is the status of what the account has not sent.
var noMessage = delivery{-1, "شناسه پیام معتبر نمی باشد"}

// deliveries are ours (README, "Ours"): 1, 2, 8, 16 and 27 as panels of this
// kind have them, the rest beside.
var deliveries = map[sms.State]delivery{
	sms.Queued:      {0, "در صف ارسال"},
	sms.Submitted:   {8, "رسیده به مخابرات"},
	sms.Unknown:     {3, "وضعیت نامشخص"},
	sms.Delivered:   {1, "رسیده به گوشی"},
	sms.Undelivered: {2, "نرسیده به گوشی"},
	sms.Expired:     {4, "پایان مهلت ارسال"},
	sms.Rejected:    {5, "عدم پذیرش پیام"},
	sms.Failed:      {16, "نرسیده به مخابرات"},
	sms.Cancelled:   {6, "لغو شده"},
	sms.Blocked:     {27, "شماره گیرنده در لیست سیاه"},
}

// messageStatus has what a caller needs to tell its customer: times are Unix
// seconds, as sendTimestamp is.
type messageStatus struct {
	Message   string `json:"messageId"`
	Status    int    `json:"status"`
	Text      string `json:"statusText"`
	Recipient string `json:"recipientNumber,omitempty"`
	At        int64  `json:"statusTimestamp,omitempty"`
}

func statusOf(name string, m sms.Message) messageStatus {
	d := deliveries[m.State]
	return messageStatus{name, d.code, d.text, m.Recipient.Local(), seconds(m.StateAt)}
}

type statusReply struct {
	Messages []messageStatus `json:"messages"`
}

// encodeStatus answers each name that was asked for, in the order of the
// question.
func encodeStatus(_ *dialect.Request, names []string, messages found) (dialect.Reply, error) {
	reply := statusReply{make([]messageStatus, len(names))}
	for i, name := range names {
		if m, known := messages[name]; known {
			reply.Messages[i] = statusOf(name, m)
		} else {
			reply.Messages[i] = messageStatus{Message: name, Status: noMessage.code, Text: noMessage.text}
		}
	}
	return dialect.JSON(http.StatusOK, reply)
}

// batchStatusReply tells when the batch goes out too, which may be later than
// was asked for where a line has quiet hours.
type batchStatusReply struct {
	Batch    string          `json:"batchId"`
	Due      int64           `json:"sendTimestamp"`
	Messages []messageStatus `json:"messages"`
}

func encodeBatchStatus(names *sms.Names, b sms.Batch) (dialect.Reply, error) {
	reply := batchStatusReply{names.Batch(b.ID), seconds(b.Due), make([]messageStatus, len(b.Messages))}
	for i := range b.Messages {
		reply.Messages[i] = statusOf(names.Message(b.Messages[i].ID), b.Messages[i])
	}
	return dialect.JSON(http.StatusOK, reply)
}

type receivedReply struct {
	Messages []receivedMessage `json:"messages"`
}

// receivedMessage has the names of messages/send for what is the same.
type receivedMessage struct {
	Message   string `json:"messageId"`
	Sender    string `json:"senderNumber"`
	Recipient string `json:"recipientNumber"`
	Content   string `json:"content"`
	At        int64  `json:"receiveTimestamp"`
}

func encodeReceived(names *sms.Names, messages []sms.Incoming) (dialect.Reply, error) {
	reply := receivedReply{make([]receivedMessage, len(messages))}
	for i, m := range messages {
		reply.Messages[i] = receivedMessage{names.Incoming(m.ID), m.Sender, m.Line, m.Text, seconds(m.At)}
	}
	return dialect.JSON(http.StatusOK, reply)
}

// seconds is 0, which is left out, for no time.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

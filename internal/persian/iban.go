package persian

import "fmt"

// IBAN is an Iranian account number (sheba): IR, two check digits, three digits
// for the bank, one for the kind of account and eighteen for the account.
type IBAN struct{ masked[hidden] }

// ParseIBAN takes IR in any case followed by 24 digits, or the 24 digits alone.
// It refuses with ErrDigits, ErrLength or ErrChecksum. An unknown bank is not a
// reason: numbers of dissolved banks still circulate.
func ParseIBAN(s string) (IBAN, error) {
	text, err := iban(s)
	if err != nil {
		return IBAN{}, fmt.Errorf("iban: %w", err)
	}
	return IBAN{masked[hidden]{text}}, nil
}

// Electronic is the number itself in the form that machines exchange: 26
// characters without blanks, or nothing for the zero value.
func (i IBAN) Electronic() string { return i.text }

// Bank is the bank's Persian name without the word bank; nothing when the code
// is not in the table.
func (i IBAN) Bank() string {
	if i.IsZero() {
		return ""
	}
	return ibanBank[i.text[4:7]]
}

func iban(s string) (string, error) {
	if len(s) > maxTyped {
		return "", ErrLength
	}
	text := Compact(s)
	digits := text
	if len(text) >= 2 && text[0]|0x20 == 'i' && text[1]|0x20 == 'r' {
		digits = text[2:]
	}
	if !allDigits(digits) {
		return "", ErrDigits
	}
	if len(digits) != 24 {
		return "", ErrLength
	}
	if ibanRemainder(digits) != 1 {
		return "", ErrChecksum
	}
	if text[0] == 'I' && text[1] == 'R' {
		return text, nil
	}
	return "IR" + digits, nil
}

// ibanRemainder is the number mod 97 of ISO 13616, read with the country and the
// check digits moved to the end; IR is 1827 there.
func ibanRemainder(digits string) int {
	rest := 0
	for i := 2; i < len(digits); i++ {
		rest = (rest*10 + int(digits[i]-'0')) % 97
	}
	return (rest*1_000_000 + 1827*100 + value(digits[:2])) % 97
}

// ibanBank holds the codes met in practice, with those of merged and dissolved
// banks, whose numbers live on.
var ibanBank = map[string]string{
	"010": "مرکزی",
	"011": "صنعت و معدن",
	"012": "ملت",
	"013": "رفاه",
	"014": "مسکن",
	"015": "سپه",
	"016": "کشاورزی",
	"017": "ملی",
	"018": "تجارت",
	"019": "صادرات",
	"020": "توسعه صادرات",
	"021": "پست بانک",
	"022": "توسعه تعاون",
	"051": "موسسه توسعه",
	"052": "قوامین",
	"053": "کارآفرین",
	"054": "پارسیان",
	"055": "اقتصاد نوین",
	"056": "سامان",
	"057": "پاسارگاد",
	"058": "سرمایه",
	"059": "سینا",
	"060": "قرض\u200cالحسنه مهر ایران",
	"061": "شهر",
	"062": "آینده",
	"063": "انصار",
	"064": "گردشگری",
	"065": "حکمت",
	"066": "دی",
	"069": "ایران زمین",
	"070": "رسالت",
	"073": "کوثر",
	"075": "ملل",
	"078": "خاورمیانه",
	"079": "مهر اقتصاد",
	"080": "نور",
	"090": "مهر ایران",
	"095": "ایران و ونزوئلا",
}

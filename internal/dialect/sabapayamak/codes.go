package sabapayamak

// row is one of the provider's codes. Name and text are its library's, slips
// and Arabic letters among Persian ones included (README, "Codes").
type row struct {
	code int
	name string
	text string
}

// The codes that are answered with.
const (
	codeOK            = 0
	codeRecipient     = 1
	codeNoText        = 13
	codeNoCredit      = 14
	codeBusy          = 15
	codeDisabled      = 16
	codeExpired       = 17
	codeCredentials   = 18
	codeInvalid       = 19
	codeNotItsLine    = 20
	codeNoService     = 22
	codeAgain         = 23
	codeNoMessage     = 24
	codeNoMethod      = 25
	codeBlocked       = 27
	codeAddress       = 29
	codeParts         = 30
	codeNoRecipients  = 106
	codeTooMany       = 107
	codeBadToken      = 401
	codeInternal      = 500
	codeNoData        = 1002
	codeWrongPassword = 4001
	codeDomain        = 4002
	codeLine          = 4003
	codeLineStatus    = 4004
)

// table is the library's enumeration, whole and in its order.
var table = []row{
	{0, "Ok", "با موفقیت ارسال شد"},
	{1, "InvalidReciver", "شماره گیرنده نادرست است"},
	{2, "InvalidSender", "شماره فرستنده نادرست است"},
	{3, "InvalidEncodeing", "پارامتر انکودینگ نامعتبر است"},
	{4, "InvalidMClass", "پارامتر mclass نامعتبر است"},
	{6, "InvalidUDH", "پارامتر UDH نامعتبر است"},
	{13, "InvalidText", "محتویات پیامک خالی است"},
	{14, "NoCharge", "مانده اعتبار ریالی مورد نیاز برای ارسال پیامک کافی نیست"},
	{15, "ServerBusy", "سرور در هنگام ارسال پیام مشغول بر طرف نمودن ایراد داخلی بوده است"},
	{16, "DisabledAccount", "حساب غیر فعال است"},
	{17, "ExpireAccount", "حساب منقضی شده است"},
	{18, "InvalidUserOrPass", "نام کاربری و یا کلمه عبور نا معتبر است"},
	{19, "InvalidRequest", "درخواست معتبر نیست"},
	{20, "InvalidSenderError", "شماره فرستنده به حساب تعلق ندارد"},
	{22, "AccessFaild", "این سرویس برای حساب فعال نشده است"},
	{23, "RetryAgain", "در حال حاضر امکان پردازش درخواست جدید وجود ندارد،لطفا دوباره سعی کنید"},
	{24, "InvalidUID", "شناسه پیامک نا معتبر است"},
	{25, "InvalidMethod", "نام متد درخواستی معتبر نیست"},
	{27, "BlackList", "شماره گیرنده در لیست سیاه اپراتور قرار دارد"},
	{28, "PreNumberBlocked", "شماره گیرنده بر اساس پیش شماره در حال حاضر در مگفا مسدود است"},
	{29, "InvalidIP", "آدرس IP مبدا، اجازه دسترسی به این سرویس را ندارد"},
	{30, "InvalidMessagePart", "تعداد بخش‌های پیامک بیش از حد مجاز استاندارد (۲۶۵ عدد) است"},
	{101, "InvalidMessageBodies", "طول آرايه پارامتر messageBodies با طول آرايه گيرندگان تطابق ندارد"},
	{102, "InvalidMessageClass", "طول آرايه پارامتر messageClass با طول آرايه گيرندگان تطابق ندارد"},
	{103, "InvalidSenderNumbers", "طول آرايه پارامتر senderNumbers با طول آرايه گيرندگان تطابق ندارد"},
	{104, "InvalidUDHs", "طول آرايه پارامتر udhs با طول آرايه گيرندگان تطابق ندارد"},
	{105, "InvalidPriorities", "طول آرايه پارامتر priorities با طول آرايه گيرندگان تطابق ندارد"},
	{106, "InvalidRecipents", "آرايه‌ی گيرندگان خالی است"},
	{107, "InvalidParameter", "طول آرايه پارامتر گيرندگان بيشتر از طول مجاز است"},
	{108, "InvalidSenders", "آرايه‌ی فرستندگان خالی است"},
	{109, "InvalidEncodings", "طول آرايه پارامتر encoding با طول آرايه گيرندگان تطابق ندارد"},
	{110, "InvalidCheckingMessageIds", "طول آرايه پارامتر checkingMessageIds با طول آرايه گيرندگان تطابق ندارد"},
	{1001, "SuccessToken", "کلید امنیتی شما با موفقیت ایجاد شد"},
	{1002, "NoContent", "داده ای وجود ندارد"},
	{500, "Exception", "خطایی اتفاق افتاده است،لطفا با پشتیبانی تماس بگیرید"},
	{401, "Unathorize", "کلید امنیتی شما منقضی شده یا  اشتباه است"},
	{4001, "UserOrPasswordWrong", "نام کاربری یا رمز عبور اشتباه است"},
	{4002, "DomainWrong", "شما نمیتوانید از طریق این دامنه درخواست بدهید"},
	{4003, "VnumerWrong", "شماره ارسال اشتباه است"},
	{4004, "VnumerStatusWrong", "وضعیت شماره ارسال مناسب ارسال نیست"},
}

var texts = func() map[int]string {
	all := make(map[int]string, len(table))
	for _, r := range table {
		all[r.code] = r.text
	}
	return all
}()

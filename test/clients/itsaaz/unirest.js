// unirest: one send() for each field, values as they are (an @ stays an @ on the wire).
const unirest = require('unirest');

const env = process.env;

function report(step, call, next) {
  call.end((res) => {
    if (res.error) throw new Error(`${step}: ${res.error}: ${res.raw_body}`);
    const body = JSON.parse(res.raw_body);
    console.log(JSON.stringify({ step, status: res.status, body }));
    next(body);
  });
}

const login = unirest('POST', `${env.DARGAH_BASE}/identity/token`)
  .headers({ 'Content-Type': 'application/x-www-form-urlencoded' })
  .send('grant_type=password')
  .send(`client_id=${env.DARGAH_CLIENT_ID}`)
  .send(`Client_secret=${env.DARGAH_CLIENT_SECRET}`)
  .send(`username=${env.DARGAH_USERNAME}`)
  .send(`password=${env.DARGAH_PASSWORD}`);

report('token', login, (issued) => {
  const question = unirest('POST', `${env.DARGAH_BASE}/ai/etebar/info`)
    .headers({ 'Content-Type': 'application/json', Authorization: `Bearer ${issued.access_token}` })
    .send(JSON.stringify({ NationalCode: env.DARGAH_NATIONAL_CODE, Cellphone: env.DARGAH_MOBILE }));
  report('info', question, () => {});
});

// fetch with the habits of the provider's Node package: two spaces after Bearer, a slash at the end of the
// address that sends, and no equals sign after EndDate.
const env = process.env;

async function report(step, path, headers, body) {
  const options = body ? { method: 'POST', body: JSON.stringify(body) } : {};
  const response = await fetch(env.DARGAH_BASE + path, { ...options, headers: { 'Content-Type': 'application/json', ...headers } });
  const answer = await response.json();
  console.log(JSON.stringify({ step, status: response.status, body: answer }));
  return answer;
}

async function main() {
  const login = await report('token', '/api/v1/user/authenticate', {}, {
    username: env.DARGAH_USERNAME,
    password: env.DARGAH_PASSWORD,
    virtualnumber: env.DARGAH_LINE,
    tokenvalidday: 1,
  });
  const bearer = { Authorization: `Bearer  ${login.data.Token}` };
  const sent = await report('send', '/api/v1/message', bearer, { text: 'سلام از Node', numbers: ['9129990001', '9359990001'] });
  await report('query', `/api/v1/message/?UserName=${env.DARGAH_USERNAME}&Password=${encodeURIComponent(env.DARGAH_PASSWORD)}`
    + `&From=${env.DARGAH_LINE}&To=9129990002&Text=${encodeURIComponent('سلام و درود')}`, {});
  await report('deliveries', `/api/v1/deliveries/${sent.data.ID}`, bearer);
  await report('messages', '/api/v1/messages?StartDate=1404/01/01&EndDate1499/01/01', bearer);
  await report('unread', '/api/v1/recived-messages/date/unread?StartDate=1404/01/01&EndDate1499/01/01', bearer);
  await report('credits', '/api/v1/credit?StartDate=1404/01/01&EndDate1499/01/01', bearer);
}

main().catch((error) => {
  console.error('failed:', error);
  process.exitCode = 1;
});

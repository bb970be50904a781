// Node's fetch with Headers and URLSearchParams objects: the body's own content type carries a
// charset, the header set by hand does not, and the latter is what goes out.
const env = process.env;

async function report(step, path, headers, body) {
  const response = await fetch(env.DARGAH_BASE + path, { method: 'POST', headers, body, redirect: 'follow' });
  const answer = { step, status: response.status, body: JSON.parse(await response.text()) };
  console.log(JSON.stringify(answer));
  return answer.body;
}

async function main() {
  const formHeaders = new Headers();
  formHeaders.append('Content-Type', 'application/x-www-form-urlencoded');

  const form = new URLSearchParams();
  form.append('grant_type', 'password');
  form.append('client_id', env.DARGAH_CLIENT_ID);
  form.append('Client_secret', env.DARGAH_CLIENT_SECRET);
  form.append('username', env.DARGAH_USERNAME);
  form.append('password', env.DARGAH_PASSWORD);

  const issued = await report('token', '/identity/token', formHeaders, form);

  const jsonHeaders = new Headers();
  jsonHeaders.append('Content-Type', 'application/json');
  jsonHeaders.append('Authorization', `Bearer ${issued.access_token}`);

  const question = JSON.stringify({ NationalCode: env.DARGAH_NATIONAL_CODE, Cellphone: env.DARGAH_MOBILE });
  await report('info', '/ai/etebar/info', jsonHeaders, question);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

// fetch with the page's headers on every call: sends, asks, schedules and cancels.
const env = process.env;
let headers = {
  'Cache-Control': 'no-cache',
  Accept: 'application/json',
  'Content-Type': 'application/json',
};

async function call(step, method, path, body) {
  const response = await fetch(env.DARGAH_BASE + path, { method, headers, body: body && JSON.stringify(body) });
  const content = await response.json();
  console.log(JSON.stringify({ step, status: response.status, body: content }));
  return content;
}

async function main() {
  const { token } = await call('token', 'POST', '/auth/token', {
    userName: env.DARGAH_USERNAME,
    password: env.DARGAH_PASSWORD,
    domain: env.DARGAH_DOMAIN,
  });
  headers = { ...headers, Authorization: `Bearer ${token}` };

  const one = { senderNumber: env.DARGAH_LINE, recipientNumber: env.DARGAH_MOBILE, content: 'کد شما: ۱۲۳۴' };
  await call('send', 'POST', '/messages/send', one);
  const sent = await call('bulk', 'POST', '/messages/send/bulk', {
    senderNumbers: [env.DARGAH_LINE],
    recipientNumbers: [env.DARGAH_MOBILE, '00989351234567', '9131234567'],
    contents: ['یک', 'دو', 'three'],
  });
  await call('status', 'POST', '/messages/status', { sentMessageIdes: sent.messageIds });

  const scheduled = await call('schedule', 'POST', '/messages/send', {
    ...one,
    sendTimestamp: Math.floor(Date.now() / 1000) + 3600,
  });
  await call('waiting', 'GET', `/messages/status/${scheduled.batchId}`);
  await call('cancel', 'DELETE', `/messages/send/scheduled/${scheduled.batchId}`);
  await call('cancelled', 'POST', '/messages/status', { sentMessageIdes: scheduled.messageIds });
  await call('recent', 'GET', '/messages/received/recent?count=10');
}

main().catch((error) => {
  console.error('failed:', error);
  process.exitCode = 1;
});

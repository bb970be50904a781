// fetch with await and response.json(), as the page's React sample does it.
const env = process.env;
const headers = {
  'Cache-Control': 'no-cache',
  Accept: 'application/json',
  'Content-Type': 'application/json',
};

async function report(step, path, options) {
  const response = await fetch(`${env.DARGAH_BASE}${path}`, options);
  const body = await response.json();
  console.log(JSON.stringify({ step, status: response.status, body }));
  return body;
}

async function main() {
  const issued = await report('token', '/auth/token', {
    method: 'POST',
    headers,
    body: JSON.stringify({
      userName: env.DARGAH_USERNAME,
      password: env.DARGAH_PASSWORD,
      domain: env.DARGAH_DOMAIN,
    }),
  });
  await report('balance', '/account/balance', {
    headers: { ...headers, Authorization: `Bearer ${issued.token}` },
  });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

// axios with the habit of the provider's Node package: two spaces after Bearer.
const axios = require('axios');

const env = process.env;

function report(step) {
  return (response) => {
    console.log(JSON.stringify({ step, status: response.status, body: response.data }));
    return response.data;
  };
}

axios
  .post(`${env.DARGAH_BASE}/api/v1/user/authenticate`, {
    Username: env.DARGAH_USERNAME,
    Password: env.DARGAH_PASSWORD,
    VirtualNumber: env.DARGAH_LINE,
    TokenValidDay: 1,
  })
  .then(report('token'))
  .then((answer) =>
    axios.get(`${env.DARGAH_BASE}/api/v1/credit`, {
      headers: { Authorization: `Bearer  ${answer.data.Token}` },
    }),
  )
  .then(report('credit'))
  .catch((error) => {
    console.error('failed:', error.response ? error.response.data : error.message);
    process.exitCode = 1;
  });

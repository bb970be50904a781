// Asks docs/webhooks.md's function about each case: its text is in the file that the command line names.
const fs = require('node:fs')

const genuine = new Function('require', fs.readFileSync(process.argv[2], 'utf8') + '\nreturn genuine')(require)
const clock = Date.now
const verdicts = JSON.parse(fs.readFileSync(0, 'utf8')).map(({ secret, headers, body, later }) => {
  Date.now = () => clock() + later * 1000
  return genuine(secret, headers, Buffer.from(body, 'base64'))
})
console.log(JSON.stringify(verdicts))

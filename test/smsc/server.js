// A message centre made of the npm package smpp, so that what we write is read by somebody else's code.
// Every line on stdin is a command, every line on stdout something that happened, both JSON; see smsc_test.go.
'use strict';

const readline = require('readline');
const smpp = require(process.argv[2]);

const say = (event, fields) => console.log(JSON.stringify({ event, ...fields }));

// How ids are spelled in answers and in receipts, and what comes instead of an answer, in their order.
let ids = { answer: 'decimal', receipt: 'decimal', how: 'none' };
let instead = [];
let taken = 0x0abc;
const receivers = new Set();

const spell = {
	decimal: (n) => String(n),
	hex: (n) => n.toString(16),
	upper: (n) => n.toString(16).toUpperCase(),
	padded: (n) => String(n).padStart(10, '0'),
	paddedHex: (n) => n.toString(16).toUpperCase().padStart(8, '0'),
};

function bind(session, pdu) {
	const known = pdu.system_id === 'dargah' && pdu.password === 'secret08';
	say('bind', { command: pdu.command, known, version: pdu.interface_version });
	session.send(pdu.response(known ? { system_id: 'node' } : { command_status: smpp.ESME_RINVPASWD }));
	if (!known) {
		session.close();
	} else if (pdu.command !== 'bind_transmitter') {
		receivers.add(session);
	}
}

// told is a part as the package understood it.
function told(pdu) {
	const content = pdu.message_payload || pdu.short_message;
	return {
		from: pdu.source_addr, to: pdu.destination_addr, ton: pdu.dest_addr_ton, npi: pdu.dest_addr_npi, coding: pdu.data_coding,
		class: pdu.esm_class, priority: pdu.priority_flag, registered: pdu.registered_delivery,
		validity: pdu.validity_period || undefined,
		text: content.message, udh: (content.udh || []).map((element) => element.toString('hex')),
		sar: pdu.sar_total_segments && [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
		payload: Boolean(pdu.message_payload),
	};
}

function submit(session, pdu) {
	say('submit', told(pdu));
	const other = instead.shift() || {};
	if (other.cut === 'before') {
		return session.destroy();
	}
	if (other.status) {
		return session.send(pdu.response({ command_status: other.status }));
	}
	const n = ++taken;
	session.send(pdu.response({ message_id: spell[ids.answer](n) }), undefined, () => other.cut && session.destroy());
	receipt(pdu, n);
}

function receipt(pdu, n) {
	const id = spell[ids.receipt] && spell[ids.receipt](n);
	const text = `id:${id} sub:001 dlvrd:001 submit date:2611220000 done date:2611220001 stat:DELIVRD err:000 text:`;
	const body = {
		source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
	};
	switch (ids.how) {
	case 'text': return deliver({ ...body, short_message: text });
	case 'payload': return deliver({ ...body, message_payload: text });
	case 'tlv': return deliver({ ...body, receipted_message_id: id, message_state: smpp.MESSAGE_STATE.DELIVERED });
	case 'both': // the parameter names the part; the text has another's
		return deliver({ ...body, receipted_message_id: id, message_state: smpp.MESSAGE_STATE.DELIVERED, short_message: 'id:1 stat:UNDELIV err:1' });
	}
}

function deliver(body, tag) {
	const [session] = receivers;
	session.deliver_sm(body, (answer) => say('answered', { tag, status: answer.command_status }));
}

const commands = {
	ids: (c) => { ids = c; },
	instead: (c) => { instead = c.list; },
	deliver: (c) => {
		const message = c.udh ? { udh: Buffer.from(c.udh, 'hex'), message: c.text } : c.text;
		deliver({ source_addr: c.from, destination_addr: c.to, data_coding: c.coding, ...(c.sar && {
			sar_msg_ref_num: c.sar[0], sar_total_segments: c.sar[1], sar_segment_seqnum: c.sar[2],
		}), [c.payload ? 'message_payload' : 'short_message']: message }, c.tag);
	},
	enquire: () => [...receivers][0].enquire_link((answer) => say('alive', { status: answer.command_status })),
	unbind: () => [...receivers][0].unbind((answer) => say('unbound', { status: answer.command_status })),
	cut: () => receivers.forEach((session) => session.destroy()),
};

const server = smpp.createServer({ noDelay: true }, (session) => {
	session.on('error', (error) => say('error', { message: error.message }));
	session.on('close', () => receivers.delete(session));
	for (const kind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
		session.on(kind, (pdu) => bind(session, pdu));
	}
	session.on('submit_sm', (pdu) => submit(session, pdu));
	session.on('enquire_link', (pdu) => session.send(pdu.response()));
	session.on('unbind', (pdu) => {
		say('unbind', {});
		session.send(pdu.response(), undefined, () => session.close());
	});
});

server.listen(0, '127.0.0.1', () => say('listening', { port: server.address().port }));
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
	const command = JSON.parse(line);
	commands[command.do](command);
	say('done', { do: command.do });
});
lines.on('close', () => process.exit(0)); // with whoever started it

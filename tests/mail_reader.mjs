// Reads a mail with postal-mime and prints what it understood as JSON: a second opinion, independent of Python.
import { readFileSync } from "node:fs";
import PostalMime from "postal-mime";

const mail = await PostalMime.parse(readFileSync(process.argv[2]));
const headers = Object.fromEntries(mail.headers.map(({ key, value }) => [key, value]));
const { from, to, replyTo, subject, messageId, date, html, text, attachments } = mail;
console.log(JSON.stringify({ headers, from, to, replyTo, subject, messageId, date, html, text, attachments: attachments.length }));

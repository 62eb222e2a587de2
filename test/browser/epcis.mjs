// usage: node epcis.mjs DEMO.json
// Captures with epcis2.js, the client that others use: its document is taken, its job ends, and the event can be asked for.
import { readFileSync } from 'node:fs'
import assert from 'node:assert/strict'
import epcis2 from 'epcis2.js'

const { setup, capture, EPCISDocument, ObjectEvent, QuantityElement } = epcis2
const demo = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${demo.tokens.producer}` }
setup({ apiUrl: demo.url + 'epcis/', headers, documentValidation: true })

const ask = async path => {
  const res = await fetch(demo.url + path, { headers })
  const text = await res.text()
  assert.equal(res.status, 200, text)
  return JSON.parse(text)
}
const readPoints = (await ask('epcis/readPoints?perPage=1')).member
const lot = `https://id.gs1.org/01/06900101000012/10/NODE${Date.now()}`
const event = new ObjectEvent()
event.setEventTime(new Date(Date.now() - 60000).toISOString()).setEventTimeZoneOffset('+00:00').setAction('ADD').setBizStep('commissioning')
  .setReadPoint(readPoints[0]).addQuantity(new QuantityElement().setEpcClass(lot).setQuantity(7).setUom('KGM'))
const document = new EPCISDocument()
document.setCreationDate(new Date().toISOString()).addEvent(event)

const accepted = await capture(document)
assert.equal(accepted.status, 202, await accepted.text())
const path = accepted.headers.get('location').slice(1)
let job = { running: true }
for (let tries = 0; job.running; tries++) {
  assert.ok(tries < 150, 'the job does not end')
  await new Promise(resolve => setTimeout(resolve, 200))
  job = await ask(path)
}
assert.ok(job.success, JSON.stringify(job))
assert.equal(job.foodtrace.accepted, 1)

const found = await ask('epcis/events?MATCH_anyEPCClass=' + encodeURIComponent(lot))
const events = found.epcisBody.queryResults.resultsBody.eventList
assert.equal(events.length, 1)
assert.equal(events[0].quantityList[0].quantity, 7)
assert.ok(events[0].recordTime && events[0].eventID)
console.log('ok   epcis2.js captures, its job ends, and the event is found')

// Reads an iCalendar file with ical.js and prints what it understood as JSON: a second opinion, independent of Python.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(process.argv[2], "utf8")));

// The zones of this file and no others: nothing is known to this reader but what the file defines.
ICAL.TimezoneService.reset();
for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);

const moment = (property) => {
  if (!property) return null;
  const time = property.getFirstValue();
  return {
    wall: time.toString(),
    date: time.isDate,
    tzid: property.getParameter("tzid") ?? null,
    known: !time.isDate && time.zone !== ICAL.Timezone.localTimezone,
    unix: time.isDate ? null : time.toUnixTime(),
  };
};

const value = (component, name) => {
  const property = component.getFirstProperty(name);
  return property ? String(property.getFirstValue()) : null;
};

const event = (component) => ({
  uid: value(component, "uid"),
  summary: value(component, "summary"),
  description: value(component, "description"),
  location: value(component, "location"),
  status: value(component, "status"),
  sequence: component.getFirstPropertyValue("sequence"),
  url: value(component, "url"),
  image: value(component, "image"),
  conference: value(component, "conference"),
  organizer: value(component, "organizer"),
  cn: component.getFirstProperty("organizer")?.getParameter("cn") ?? null,
  geo: component.getFirstPropertyValue("geo") ?? null,
  categories: component.getFirstProperty("categories")?.getValues() ?? [],
  starts: moment(component.getFirstProperty("dtstart")),
  ends: moment(component.getFirstProperty("dtend")),
});

console.log(JSON.stringify({
  name: value(calendar, "name"),
  wrName: value(calendar, "x-wr-calname"),
  source: value(calendar, "source"),
  refresh: value(calendar, "refresh-interval"),
  events: calendar.getAllSubcomponents("vevent").map(event),
}));

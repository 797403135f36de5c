// Every screen of the page, and what shows that it has what it needs.
export const screens = [
  { place: '', ready: '.journal-card' },
  { place: 'devices', ready: '.device-row' },
  { place: 'devices/boiler', ready: '.device-point' },
  { place: 'devices/+', ready: '.steps-list' },
  { place: 'devices/boiler/settings', ready: '.entries' },
  { place: 'buses', ready: '.pieces' },
  { place: 'buses/hall', ready: '.table' },
  { place: 'uplinks', ready: '.uplink-url' },
  { place: 'uplinks/+', ready: '.lead' },
  { place: 'uplinks/cloud', ready: '.facts' },
  { place: 'uplinks/cloud/settings', ready: '.steps-list' },
  { place: 'history', ready: '.slider' },
  { place: 'history/events', ready: '.events-filter' },
  { place: 'logs', ready: '.log-lines li' },
  { place: 'system', ready: '.entries' },
  { place: 'system/settings', ready: '.steps-list' },
  { place: 'system/report', ready: '.report-table' },
];

export const fileName = (place) => place.replace(/\W+/g, '-') || 'overview';

// One tab of this browser leads: it opens windows, shows notifications and rings. When it is closed, another one leads.
// Without https there are no locks; then every tab leads, and the server alone decides which window opens.

let leads = false;

export const isLeader = () => leads;

export function lead(user, begins) {
  const begin = () => {
    leads = true;
    begins();
  };
  if (!navigator.locks) return begin();
  navigator.locks.request(`callwarden-desk-${user}`, () => {
    begin();
    return new Promise(() => {}); // until the tab is gone
  });
}

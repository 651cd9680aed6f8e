// Shows team alerts while no page is open. What a push says is shown as text, and a click leads to a page of ours or nowhere.

self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    // A browser that was woken has to show something.
  }
  event.waitUntil(
    self.registration.showNotification(String(told.title || "Team alert"), {
      body: String(told.body || "Open Aftercall to read it."),
      tag: String(told.tag || "alert"),
      data: String(told.opens || "/alerts"),
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const to = new URL(event.notification.data, self.location.origin);
  event.waitUntil(self.clients.openWindow(to.origin === self.location.origin ? to.href : "/alerts"));
});

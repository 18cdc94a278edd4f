// Opens Paddle's checkout for the transaction that the page is about, and again when asked to.
(function () {
  "use strict";
  var place = document.getElementById("checkout");
  var told = place.dataset;
  if (!window.Paddle) {
    document.getElementById("missing").hidden = false;
    return;
  }
  var settings = { successUrl: new URL(told.done, window.location.href).href };
  if (told.locale) settings.locale = told.locale;
  if (told.test === "yes") window.Paddle.Environment.set("sandbox");
  window.Paddle.Initialize({ token: told.token, checkout: { settings: settings } });
  // A link that Paddle made itself names its transaction in _ptxn, and Paddle's script opens it by itself.
  if (!told.transaction) return;
  var open = function () {
    window.Paddle.Checkout.open({ transactionId: told.transaction, settings: settings });
  };
  var again = document.getElementById("again");
  again.hidden = false;
  again.addEventListener("click", open);
  open();
})();

"""What the page says that Paddle's checkout opens on, in the languages of the gateway."""

from __future__ import annotations

from gateway.core.wording import Phrasebook

WORDS = Phrasebook(
    {
        "Checkout": {"de": "Bezahlen", "es": "Pago", "id": "Pembayaran", "ru": "Оплата"},
        "The checkout opens on this page. Paddle takes the payment and sends the receipt.": {
            "de": "Die Kasse öffnet sich auf dieser Seite. Paddle nimmt die Zahlung an und schickt die Rechnung.",
            "es": "La caja se abre en esta página. Paddle cobra el pago y envía el recibo.",
            "id": "Kasir terbuka di halaman ini. Paddle menerima pembayaran dan mengirim tanda terima.",
            "ru": "Касса откроется на этой странице. Платёж принимает Paddle и присылает чек.",
        },
        "The checkout needs JavaScript. Nothing was charged.": {
            "de": "Die Kasse braucht JavaScript. Es wurde nichts abgebucht.",
            "es": "La caja necesita JavaScript. No se ha cobrado nada.",
            "id": "Kasir membutuhkan JavaScript. Tidak ada yang ditagih.",
            "ru": "Для кассы нужен JavaScript. Ничего не списано.",
        },
        "The checkout did not load. Nothing was charged. Reload this page, or allow scripts of paddle.com.": {
            "de": "Die Kasse wurde nicht geladen. Es wurde nichts abgebucht. Laden Sie die Seite neu oder erlauben Sie "
            "Skripte von paddle.com.",
            "es": "La caja no se ha cargado. No se ha cobrado nada. Vuelva a cargar la página o permita los scripts de "
            "paddle.com.",
            "id": "Kasir tidak termuat. Tidak ada yang ditagih. Muat ulang halaman ini, atau izinkan skrip dari "
            "paddle.com.",
            "ru": "Касса не загрузилась. Ничего не списано. Обновите страницу или разрешите скрипты paddle.com.",
        },
        "Open the checkout": {"de": "Kasse öffnen", "es": "Abrir la caja", "id": "Buka kasir", "ru": "Открыть кассу"},
        "Turn back": {"de": "Zurück", "es": "Volver", "id": "Kembali", "ru": "Вернуться"},
    }
)

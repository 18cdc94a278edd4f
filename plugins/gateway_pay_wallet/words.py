"""What the wallet's page says, in the languages of the gateway."""

from __future__ import annotations

from gateway.core.wording import Phrasebook

WORDS = Phrasebook(
    {
        "Pay out of your wallet": {
            "de": "Aus Ihrem Guthaben bezahlen",
            "es": "Pagar con su saldo",
            "id": "Bayar dari saldo Anda",
            "ru": "Оплата с вашего счёта",
        },
        "For": {"de": "Für", "es": "Por", "id": "Untuk", "ru": "За что"},
        "Price": {"de": "Preis", "es": "Precio", "id": "Harga", "ru": "Цена"},
        "In your wallet": {"de": "Ihr Guthaben", "es": "Su saldo", "id": "Saldo Anda", "ru": "На вашем счёте"},
        "Left after it": {"de": "Danach übrig", "es": "Queda después", "id": "Sisa sesudahnya", "ru": "Останется"},
        "Pay %(price)s": {
            "de": "%(price)s bezahlen",
            "es": "Pagar %(price)s",
            "id": "Bayar %(price)s",
            "ru": "Заплатить %(price)s",
        },
        "Back to the offer": {
            "de": "Zurück zum Angebot",
            "es": "Volver a la oferta",
            "id": "Kembali ke penawaran",
            "ru": "Назад к предложению",
        },
        "Choose another way to pay": {
            "de": "Anders bezahlen",
            "es": "Elegir otra forma de pago",
            "id": "Pilih cara bayar lain",
            "ru": "Выбрать другой способ оплаты",
        },
        "Your wallet has %(missing)s too little for this. Nothing was taken.": {
            "de": "Für diesen Kauf fehlen %(missing)s. Es wurde nichts abgebucht.",
            "es": "Le faltan %(missing)s para esto. No se ha cobrado nada.",
            "id": "Saldo Anda kurang %(missing)s untuk ini. Tidak ada yang diambil.",
            "ru": "На счёте не хватает %(missing)s. Ничего не списано.",
        },
        "It is paid.": {"de": "Es ist bezahlt.", "es": "Está pagado.", "id": "Sudah dibayar.", "ru": "Оплачено."},
        "See what it opened": {
            "de": "Ansehen, was offen ist",
            "es": "Ver lo que se ha abierto",
            "id": "Lihat yang telah dibuka",
            "ru": "Посмотреть, что открыто",
        },
        "This page is too old. Nothing was taken.": {
            "de": "Diese Seite ist zu alt. Es wurde nichts abgebucht.",
            "es": "Esta página es demasiado antigua. No se ha cobrado nada.",
            "id": "Halaman ini sudah terlalu lama. Tidak ada yang diambil.",
            "ru": "Эта страница устарела. Ничего не списано.",
        },
        "The price has changed since. Nothing was taken.": {
            "de": "Der Preis hat sich seither geändert. Es wurde nichts abgebucht.",
            "es": "El precio ha cambiado desde entonces. No se ha cobrado nada.",
            "id": "Harganya sudah berubah. Tidak ada yang diambil.",
            "ru": "Цена с тех пор изменилась. Ничего не списано.",
        },
        "This payment went back to your wallet before.": {
            "de": "Diese Zahlung ist schon in Ihr Guthaben zurückgegangen.",
            "es": "Este pago ya se devolvió a su saldo.",
            "id": "Pembayaran ini sudah dikembalikan ke saldo Anda.",
            "ru": "Этот платёж уже возвращён на ваш счёт.",
        },
        "This result is yours already, or is no longer kept. Nothing was taken.": {
            "de": "Dieses Ergebnis gehört Ihnen schon oder wird nicht mehr aufbewahrt. Es wurde nichts abgebucht.",
            "es": "Este resultado ya es suyo o ya no se conserva. No se ha cobrado nada.",
            "id": "Hasil ini sudah milik Anda atau tidak disimpan lagi. Tidak ada yang diambil.",
            "ru": "Этот результат уже ваш или больше не хранится. Ничего не списано.",
        },
        "This was paid by somebody else. Nothing was taken.": {
            "de": "Das hat schon jemand anders bezahlt. Es wurde nichts abgebucht.",
            "es": "Esto ya lo pagó otra persona. No se ha cobrado nada.",
            "id": "Ini sudah dibayar orang lain. Tidak ada yang diambil.",
            "ru": "Это уже оплатил кто-то другой. Ничего не списано.",
        },
        "This checkout is not known any more. Nothing was taken.": {
            "de": "Dieser Kauf ist nicht mehr bekannt. Es wurde nichts abgebucht.",
            "es": "Esta compra ya no se conoce. No se ha cobrado nada.",
            "id": "Pembelian ini tidak dikenal lagi. Tidak ada yang diambil.",
            "ru": "Эта покупка больше не известна. Ничего не списано.",
        },
    }
)

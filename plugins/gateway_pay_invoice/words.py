"""What the page and the paper say, in the languages of the gateway."""

from __future__ import annotations

from gateway.core.wording import Phrasebook

WORDS = Phrasebook(
    {
        "Pay by bank transfer": {
            "de": "Per Überweisung bezahlen",
            "es": "Pagar por transferencia",
            "id": "Bayar dengan transfer bank",
            "ru": "Оплата банковским переводом",
        },
        "Send this amount to this account, with the payment number as the purpose. It is looked for by "
        "a person, and opens once it has arrived: as a rule within two working days.": {
            "de": "Überweisen Sie diesen Betrag auf dieses Konto, mit der Zahlungsnummer als "
            "Verwendungszweck. Ein Mensch sieht nach, und es öffnet sich, sobald das Geld da ist: "
            "meist innerhalb von zwei Werktagen.",
            "es": "Envíe este importe a esta cuenta, con el número de pago como concepto. Una persona "
            "lo comprueba, y se abre en cuanto llega: por lo general en dos días hábiles.",
            "id": "Kirim jumlah ini ke rekening ini, dengan nomor pembayaran sebagai keterangan. "
            "Seseorang memeriksanya, dan akses dibuka setelah uang tiba: biasanya dalam dua hari "
            "kerja.",
            "ru": "Переведите эту сумму на этот счёт и укажите номер платежа в назначении. Поступление "
            "проверяет человек, и доступ откроется, когда деньги придут: обычно за два рабочих "
            "дня.",
        },
        "Thank you: you have told us that you sent it. Nothing more is to do. It opens once it has arrived.": {
            "de": "Danke: Sie haben gesagt, dass Sie überwiesen haben. Mehr ist nicht zu tun. Es öffnet "
            "sich, sobald das Geld da ist.",
            "es": "Gracias: nos ha dicho que lo ha enviado. No hay nada más que hacer. Se abre en cuanto llegue.",
            "id": "Terima kasih: Anda sudah memberi tahu bahwa uang dikirim. Tidak ada lagi yang perlu "
            "dilakukan. Akses dibuka setelah uang tiba.",
            "ru": "Спасибо: вы сообщили, что перевели деньги. Больше ничего не нужно. Доступ откроется, "
            "когда они придут.",
        },
        "It is paid: thank you. There is nothing more to send.": {
            "de": "Es ist bezahlt: vielen Dank. Es ist nichts mehr zu überweisen.",
            "es": "Está pagado: gracias. No hay nada más que enviar.",
            "id": "Sudah dibayar: terima kasih. Tidak ada lagi yang perlu dikirim.",
            "ru": "Оплачено: спасибо. Переводить больше ничего не нужно.",
        },
        "See what it opened": {
            "de": "Ansehen, was offen ist",
            "es": "Ver lo que se ha abierto",
            "id": "Lihat yang telah dibuka",
            "ru": "Посмотреть, что открыто",
        },
        "I have sent it": {
            "de": "Ich habe überwiesen",
            "es": "Ya lo he enviado",
            "id": "Saya sudah mengirimnya",
            "ru": "Деньги отправлены",
        },
        "You can also send it later: this page stays as it is.": {
            "de": "Sie können auch später überweisen: Diese Seite bleibt, wie sie ist.",
            "es": "También puede enviarlo más tarde: esta página queda como está.",
            "id": "Anda juga bisa mengirimnya nanti: halaman ini tetap seperti ini.",
            "ru": "Можно перевести и позже: эта страница останется прежней.",
        },
        "Back to the offer": {
            "de": "Zurück zum Angebot",
            "es": "Volver a la oferta",
            "id": "Kembali ke penawaran",
            "ru": "Назад к предложению",
        },
        "QR code with the account, the amount and the payment number": {
            "de": "QR-Code mit Konto, Betrag und Zahlungsnummer",
            "es": "Código QR con la cuenta, el importe y el número de pago",
            "id": "Kode QR dengan rekening, jumlah, dan nomor pembayaran",
            "ru": "QR-код со счётом, суммой и номером платежа",
        },
        "For your banking app": {
            "de": "Für Ihre Banking-App",
            "es": "Para la aplicación de su banco",
            "id": "Untuk aplikasi bank Anda",
            "ru": "Для приложения вашего банка",
        },
        "Payment request as PDF": {
            "de": "Zahlungsaufforderung als PDF",
            "es": "Solicitud de pago en PDF",
            "id": "Permintaan pembayaran sebagai PDF",
            "ru": "Запрос на оплату в PDF",
        },
        "Receipt as PDF": {
            "de": "Quittung als PDF",
            "es": "Recibo en PDF",
            "id": "Kuitansi sebagai PDF",
            "ru": "Квитанция в PDF",
        },
        "Made out to": {
            "de": "Ausgestellt auf",
            "es": "A nombre de",
            "id": "Atas nama",
            "ru": "На чьё имя",
        },
        "(name and address; written into the PDF alone, and not kept)": {
            "de": "(Name und Anschrift; stehen nur im PDF und werden nicht gespeichert)",
            "es": "(nombre y dirección; solo se escriben en el PDF y no se guardan)",
            "id": "(nama dan alamat; hanya ditulis di PDF dan tidak disimpan)",
            "ru": "(имя и адрес; попадут только в PDF и не сохраняются)",
        },
        "Download the payment request": {
            "de": "Zahlungsaufforderung herunterladen",
            "es": "Descargar la solicitud de pago",
            "id": "Unduh permintaan pembayaran",
            "ru": "Скачать запрос на оплату",
        },
        "Download the receipt": {
            "de": "Quittung herunterladen",
            "es": "Descargar el recibo",
            "id": "Unduh kuitansi",
            "ru": "Скачать квитанцию",
        },
        "For": {
            "de": "Für",
            "es": "Por",
            "id": "Untuk",
            "ru": "За что",
        },
        "Amount": {
            "de": "Betrag",
            "es": "Importe",
            "id": "Jumlah",
            "ru": "Сумма",
        },
        "To": {
            "de": "An",
            "es": "A",
            "id": "Kepada",
            "ru": "Кому",
        },
        "Account": {
            "de": "Konto",
            "es": "Cuenta",
            "id": "Rekening",
            "ru": "Счёт",
        },
        "Payment number (purpose)": {
            "de": "Zahlungsnummer (Zweck)",
            "es": "Número de pago (concepto)",
            "id": "Nomor pembayaran (ket.)",
            "ru": "Номер (назначение)",
        },
        "By": {
            "de": "Bis",
            "es": "Hasta",
            "id": "Paling lambat",
            "ru": "До",
        },
        "Payment request": {
            "de": "Zahlungsaufforderung",
            "es": "Solicitud de pago",
            "id": "Permintaan pembayaran",
            "ru": "Запрос на оплату",
        },
        "Receipt: paid": {
            "de": "Quittung: bezahlt",
            "es": "Recibo: pagado",
            "id": "Kuitansi: lunas",
            "ru": "Квитанция: оплачено",
        },
        "Payment number": {
            "de": "Zahlungsnummer",
            "es": "Número de pago",
            "id": "Nomor pembayaran",
            "ru": "Номер платежа",
        },
        "Date": {
            "de": "Datum",
            "es": "Fecha",
            "id": "Tanggal",
            "ru": "Дата",
        },
        "Please pay by": {
            "de": "Bitte zahlen bis",
            "es": "Pagar hasta el",
            "id": "Mohon dibayar paling lambat",
            "ru": "Просим оплатить до",
        },
        "Date of this receipt": {
            "de": "Datum dieser Quittung",
            "es": "Fecha de este recibo",
            "id": "Tanggal kuitansi ini",
            "ru": "Дата этой квитанции",
        },
        "Paid": {
            "de": "Bezahlt",
            "es": "Pagado",
            "id": "Dibayar",
            "ru": "Оплачено",
        },
        "Total": {
            "de": "Summe",
            "es": "Total",
            "id": "Jumlah",
            "ru": "Итого",
        },
        "How to pay": {
            "de": "So bezahlen Sie",
            "es": "Cómo pagar",
            "id": "Cara membayar",
            "ru": "Как оплатить",
        },
        "For banking apps (EPC QR code)": {
            "de": "Für Banking-Apps (GiroCode)",
            "es": "Para aplicaciones bancarias (código QR EPC)",
            "id": "Untuk aplikasi bank (kode QR EPC)",
            "ru": "Для банковских приложений (QR-код EPC)",
        },
    }
)

"""Where Amazon SNS tells what has become of letters."""

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from packhouse.mail import delivery, ports, sns

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def ses_hook(request: HttpRequest) -> HttpResponse:
    """A message of SNS: 200 when it has taken effect now or before, 400 when it is refused, 503 to be sent again."""
    port = ports.plugged_in()
    if not isinstance(port, ports.Ses) or not port.topic:
        raise Http404
    try:
        kind = request.headers.get("x-amz-sns-message-type", "")
        message = sns.verified(request.body, kind=kind, topic=port.topic)
        if message.kind == "SubscriptionConfirmation":
            port.confirm_subscription(message.token)
        else:
            delivery.take_note(message.message_id, delivery.News.parse(message.body))
    except (sns.Untrusted, delivery.Unknown) as refusal:
        log.warning("a notification was refused: %s", refusal)
        return _words(str(refusal), 400)
    except sns.Unavailable as trouble:
        log.warning("a notification could not be checked: %s", trouble)
        return _words(str(trouble), 503)
    return _words("", 200)


def _words(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")

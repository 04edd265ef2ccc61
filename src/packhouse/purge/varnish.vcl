# How Varnish (7 or later, with the modules of Debian's varnish-modules) stands in front of Packhouse.
# Written by `packhouse vcl`, which fills in addresses, languages and the secret: write it anew after an upgrade.
#
# What it relies on.  An answer that is the same for everybody says so by Surrogate-Control; it was made without looking
# at a cookie, names what it shows in Surrogate-Key, and is kept until one of these keys is purged.  Files and assets say
# how long by Cache-Control.  Everything else, and whatever sets a cookie, is passed through and never kept.
vcl 4.1;

import std;
import xkey;

backend packhouse {
    .host = "@BACKEND_HOST@";
    .port = "@BACKEND_PORT@";
    .connect_timeout = 3s;
    .first_byte_timeout = 120s;
    .between_bytes_timeout = 60s;
    .probe = {
        .url = "/_health/";
        .interval = 2s;
        .timeout = 2s;
        .window = 3;
        .threshold = 2;
        .initial = 3;
    }
}

acl purgers {
@PURGERS@
}

sub vcl_recv {
    if (req.restarts > 0) {
        return (hash);  # nobody answers: what is stale is better than nothing
    }
    unset req.http.Packhouse-Language;
    unset req.http.Packhouse-Purged;
    unset req.http.Packhouse-Unusual;
    # Varnish has put the client's address at the end of X-Forwarded-For; the other spelling comes from who knows where.
    unset req.http.Forwarded;
    unset req.http.X-Forwarded-Host;
    set req.http.Host = "@HOST@";

    if (req.method == "PURGE") {
        if (client.ip !~ purgers || "@SECRET@" != req.http.Packhouse-Purge-Secret + "") {
            return (synth(403));
        }
        set req.http.Packhouse-Purged = "0";
        if (req.http.Packhouse-Soft-Purge) {
            set req.http.Packhouse-Purged = xkey.softpurge(req.http.Packhouse-Soft-Purge);
        } elsif (req.http.Packhouse-Purge) {
            set req.http.Packhouse-Purged = xkey.purge(req.http.Packhouse-Purge);
        }
        return (synth(200, "Purged"));
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    if (req.http.Authorization || req.url ~ "^/(?:account|admin|api|console|legacy|locale|manage|metrics|setup|preferences|theme\.css|_(?!images/)[^/]*)(?:[/?]|$)") {
        return (pass);
    }
    if (req.http.Content-Length || req.http.Transfer-Encoding) {
        return (pass);
    }
    if (req.url ~ "^/packages/" && (req.http.Range || req.method == "HEAD")) {
        return (pass);  # a part of a file need not fetch the whole
    }

    call choose_language;
    call choose_type;
    call drop_query;
    unset req.http.Cookie;
    if (std.healthy(req.backend_hint)) {
        set req.grace = 0s;  # what is stale is made anew, unless there is nobody to do it
    }
    return (hash);
}

# The visitor's choice, else the first of our languages that the browser asks for.
sub choose_language {
    if (req.http.Cookie ~ "(?:^|;\s*)locale=(?:@LANGUAGES@)\s*(?:;|$)") {
        set req.http.Packhouse-Language = regsub(req.http.Cookie, "^(?:.*;)?\s*locale=(@LANGUAGES@)\s*(?:;.*)?$", "\1");
    } elsif (req.http.Accept-Language ~ "(?i)(?:^|[,\s])(?:@LANGUAGES@)(?:-[a-z0-9-]+)?\s*(?:[;,]|$)") {
        set req.http.Packhouse-Language = std.tolower(regsub(req.http.Accept-Language, "(?i)^(?:.*?[,\s])??(@LANGUAGES@)(?:-[a-z0-9-]+)?\s*(?:[;,].*)?$", "\1"));
    } else {
        set req.http.Packhouse-Language = "en";
    }
    unset req.http.Accept-Language;
}

# Few variants of what is negotiated; who asks in an unusual way is answered by the index itself.
sub choose_type {
    if (req.url ~ "^/simple/") {
        if (req.http.Accept ~ "(?i)^\s*application/vnd\.pypi\.simple\.(?:v1|latest)\+json\s*(?:,\s*[^,;]+;\s*q=0\.[0-9]+\s*)*$") {
            set req.http.Accept = "application/vnd.pypi.simple.v1+json";
        } elsif (!req.http.Accept || req.http.Accept == "*/*" || (req.http.Accept ~ "^text/html(?:,|$)" && req.http.Accept !~ "vnd\.pypi")) {
            set req.http.Accept = "text/html";
        } else {
            set req.http.Packhouse-Unusual = "1";
        }
    } elsif (req.url ~ "^/integrity/") {
        if (!req.http.Accept || req.http.Accept ~ "(?i)^\s*(?:\*/\*|application/\*|application/vnd\.pypi\.integrity\.v1\+json)\s*$") {
            set req.http.Accept = "application/vnd.pypi.integrity.v1+json";
        } elsif (req.http.Accept != "application/json") {
            set req.http.Packhouse-Unusual = "1";
        }
    } elsif (req.url ~ "^/(?:search|stats)/") {
        if (!req.http.Accept || req.http.Accept == "*/*" || (req.http.Accept ~ "text/html" && req.http.Accept !~ "json")) {
            set req.http.Accept = "text/html";
        } elsif (req.http.Accept != "application/json") {
            set req.http.Packhouse-Unusual = "1";
        }
    }
    if (req.http.Packhouse-Unusual) {
        unset req.http.Packhouse-Unusual;
        unset req.http.Cookie;
        return (pass);
    }
}

# A query that means nothing must not make a page one of its own.
sub drop_query {
    if (req.url ~ "^/simple/") {
        if (req.url ~ "[?&]format=") {
            set req.url = regsub(req.url, "\?(?:.*&)?(format=[^&]*).*$", "?\1");
        } else {
            set req.url = regsub(req.url, "\?.*$", "");
        }
    } elsif (req.url ~ "^/(?:packages/|rss/|static/|integrity/|robots\.txt|[^/]*sitemap\.xml|opensearch\.xml|favicon\.ico|pypi/.*/json)") {
        set req.url = regsub(req.url, "\?.*$", "");
    }
}

sub vcl_backend_response {
    unset beresp.http.xkey;
    if (beresp.http.Set-Cookie || beresp.http.Cache-Control ~ "(?i)(?:private|no-store)" || beresp.http.Vary ~ "(?i)(?:cookie|\*)") {
        call keep_not;
    }
    if (beresp.status != 200 && beresp.status != 301) {
        if (beresp.status >= 500 && bereq.is_bgfetch) {
            return (abandon);
        }
        call keep_not;
    }
    if (beresp.http.Surrogate-Control) {
        set beresp.ttl = std.duration(regsub(beresp.http.Surrogate-Control, "^(?:.*[,\s])?max-age=([0-9]+).*$", "\1s"), 0s);
        set beresp.grace = std.duration(regsub(beresp.http.Surrogate-Control, "^(?:.*[,\s])?stale-if-error=([0-9]+).*$", "\1s"), 0s);
    } elsif (beresp.http.Cache-Control !~ "(?i)(?:max-age|s-maxage)=[1-9]") {
        call keep_not;
    }
    if (std.integer(beresp.http.Content-Length, 0) > 100000000) {
        call keep_not;
    }
    set beresp.keep = 1d;  # what is asked for again after a purge is mostly the same: a 304
    set beresp.http.xkey = beresp.http.Surrogate-Key + " everything";
}

sub keep_not {
    set beresp.uncacheable = true;
    set beresp.ttl = 120s;
    return (deliver);
}

sub vcl_deliver {
    if (resp.status >= 502 && resp.status <= 504 && req.restarts == 0 && (req.method == "GET" || req.method == "HEAD") && req.http.Packhouse-Language) {
        set req.grace = 30d;
        return (restart);
    }
    set resp.http.Cache-Status = "varnish; fwd=miss";
    if (obj.hits > 0) {
        set resp.http.Cache-Status = "varnish; hit";
    } elsif (obj.uncacheable) {
        set resp.http.Cache-Status = "varnish; fwd=bypass";
    }
    unset resp.http.Age;  # what a browser may keep is counted from now
    unset resp.http.Via;
    unset resp.http.X-Varnish;
    unset resp.http.xkey;
    unset resp.http.Surrogate-Key;
    unset resp.http.Surrogate-Control;
}

sub vcl_synth {
    if (resp.status == 503 && req.restarts == 0 && req.http.Packhouse-Language) {
        set req.grace = 30d;
        return (restart);
    }
    set resp.http.Cache-Control = "private, no-store";
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    if (req.http.Packhouse-Purged) {
        set resp.http.Packhouse-Purged = req.http.Packhouse-Purged;
    }
    set resp.body = "" + resp.status + " " + resp.reason;
    return (deliver);
}

sub vcl_backend_error {
    set beresp.http.Cache-Control = "private, no-store";
    set beresp.http.Content-Type = "text/plain; charset=utf-8";
    set beresp.http.Retry-After = "5";
    set beresp.body = "503 Service Unavailable";
    set beresp.ttl = 0s;
    set beresp.uncacheable = true;
    return (deliver);
}

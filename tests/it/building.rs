//! Settings that a client refuses, and says why.

use esikit::{Error, Esi, EsiBuilder};

fn refusal(builder: EsiBuilder) -> (&'static str, String) {
    match builder.build() {
        Err(Error::Config(config)) => (config.setting, Error::Config(config).to_string()),
        other => panic!("{other:?}"),
    }
}

fn good() -> EsiBuilder {
    Esi::builder()
        .user_agent("my-app/1.0 (me@example.com)")
        .base_url("http://localhost:8080")
}

#[test]
fn a_user_agent_is_required_and_the_error_says_why_and_how() {
    let without = [
        Esi::builder(),
        Esi::builder().user_agent(""),
        Esi::builder().user_agent(" \t"),
    ];
    for builder in without {
        let (setting, text) = refusal(builder.base_url("http://localhost"));
        assert_eq!(setting, "user_agent");
        assert!(
            text.contains("contact") && text.contains("my-app/1.0 (me@example.com)"),
            "{text}"
        );
    }
    let (setting, text) = refusal(good().user_agent("a\r\nX-Other: b"));
    assert!(setting == "user_agent" && text.contains("characters"), "{text}");
}

#[test]
fn a_base_url_is_checked() {
    let cases = [
        ("", "not a URL"),
        ("localhost:8080", "http or https"),
        ("ftp://localhost", "http or https"),
        ("http://localhost/?a=b", "query"),
        ("http://localhost/#a", "fragment"),
        ("http://me:secret@localhost/", "user name"),
    ];
    for (url, why) in cases {
        let (setting, text) = refusal(good().base_url(url));
        assert_eq!(setting, "base_url");
        assert!(text.contains(why) && !text.contains("secret"), "{url}: {text}");
    }
}

#[test]
fn https_works_with_tls_and_names_the_feature_without() {
    let builder = good().base_url("https://esi.evetech.net");
    if cfg!(feature = "tls") {
        // On a machine without any certificate authority the build fails, and says that.
        if let Err(error) = builder.build() {
            assert!(error.to_string().contains("certificate"), "{error}");
        }
    } else {
        let (setting, text) = refusal(builder);
        assert!(setting == "base_url" && text.contains("feature `tls`"), "{text}");
        let (setting, text) = refusal(good().proxy("https://localhost"));
        assert!(setting == "proxy" && text.contains("feature `tls`"), "{text}");
    }
}

#[test]
fn values_that_no_header_can_carry_are_refused() {
    assert_eq!(refusal(good().tenant("a\nb")).0, "tenant");
    assert_eq!(refusal(good().tenant("")).0, "tenant");
    assert_eq!(refusal(good().language("de\r")).0, "language");
    assert_eq!(refusal(good().proxy("not a url")).0, "proxy");
    for (name, value) in [
        ("User-Agent", "x"),
        ("x-tenant", "x"),
        ("a b", "x"),
        ("x", "hidden\n"),
    ] {
        let (setting, text) = refusal(good().header(name, value));
        assert!(setting == "header" && !text.contains("hidden"), "{text}");
    }
}

#[test]
fn a_compatibility_date_is_a_date() {
    for date in ["", "today", "2026-8-1", "2026-13-01", "2026-08-18T00:00:00Z"] {
        assert_eq!(
            refusal(good().compatibility_date(date)).0,
            "compatibility_date",
            "{date}"
        );
    }
    assert!(good().compatibility_date("2026-09-01").build().is_ok());
}

#[cfg(feature = "reqwest-builder")]
#[test]
fn the_hook_sees_the_builder() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let builder = good().reqwest_builder(move |builder| {
        sender.send(()).expect("the test waits");
        builder.http1_only()
    });
    builder.build().expect("a client");
    receiver.try_recv().expect("the hook ran");
}

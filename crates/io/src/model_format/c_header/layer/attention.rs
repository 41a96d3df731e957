//! Attention, head by head. Queries and keys are copied first, turned where they are.

use super::body::Body;
use crate::model::{Attention, View};

const TEMPLATE: &str = "
    float queries_and_keys[positions * 2 * channels], shares[positions];
    for (int i = 0; i < positions; i++)
    for (int c = 0; c < 2 * channels; c++) {
        const float *at = x + i * 3 * channels + c;
        COPY
    }
    for (int i = 0; i < positions; i++)
    for (int head = 0; head < heads; head++) {
        const float *query = queries_and_keys + i * 2 * channels + head * width;
        const int seen = SEEN;
        float most = -INFINITY, total = 0.0f;
        for (int j = 0; j < seen; j++) {
            const float *key = queries_and_keys + (j * 2 + 1) * channels + head * width;
            float score = 0.0f;
            for (int u = 0; u < width; u++) score += query[u] * key[u];
            shares[j] = score / ROOT;
            if (shares[j] > most) most = shares[j];
        }
        for (int j = 0; j < seen; j++) total += shares[j] = expf(shares[j] - most);
        for (int u = 0; u < width; u++) {
            float sum = 0.0f;
            for (int j = 0; j < seen; j++)
                sum += shares[j] / total * x[(j * 3 + 2) * channels + head * width + u];
            y[i * channels + head * width + u] = sum;
        }
    }
";

const COPY: &str = "queries_and_keys[i * 2 * channels + c] = *at;";

const TURN: &str = "const int unit = c % width, pair = unit % (width / 2);
        const float *first = at - unit + pair, *second = first + width / 2;
        const float turn_cos = cosine[i * (width / 2) + pair], turn_sin = sine[i * (width / 2) + pair];
        queries_and_keys[i * 2 * channels + c] = unit < width / 2
            ? *first * turn_cos - *second * turn_sin : *first * turn_sin + *second * turn_cos;";

pub(super) fn body(attention: &Attention, view: View) -> Body {
    let &Attention { channels, heads, causal, rotary } = attention;
    let (positions, width) = (view.height * view.width, attention.width());
    let sizes =
        [("positions", positions), ("channels", channels), ("heads", heads), ("width", width)];
    let body = Body::new(TEMPLATE, &sizes)
        .with("COPY", if rotary { TURN } else { COPY })
        .with("SEEN", if causal { "i + 1" } else { "positions" })
        .with_number("ROOT", (width as f32).sqrt());
    match rotary {
        true => {
            let [cosine, sine] = attention.turns(positions);
            body.with_numbers("cosine", cosine).with_numbers("sine", sine)
        }
        false => body,
    }
}

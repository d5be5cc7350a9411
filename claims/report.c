/* Claims as JSON and as text. SPDX-License-Identifier: GPL-3.0-or-later */
#include "claim.h"

#include "analysis/report.h"
#include "src/json.h"

#include <math.h>

const char *od_verdict_text(od_verdict v)
{
    return v == OD_HOLDS ? "holds" : v == OD_FAILS ? "fails" : "undecided";
}

static void write_one(FILE *out, const od_claim *c)
{
    fputs("{\"id\": ", out);
    od_json_text(out, c->id);
    od_report_text(out, "source", c->source);
    od_report_text(out, "statement", c->statement);
    od_report_real(out, "predicted", c->predicted);
    od_report_real(out, "measured", c->measured);
    fputs(", \"error\": {\"integration\": ", out);
    od_json_real(out, c->error_integration);
    od_report_real(out, "sampling", c->error_sampling);
    od_report_real(out, "model", c->error_model);
    fputs("}", out);
    od_report_text(out, "expected", od_verdict_text(c->expected));
    od_report_text(out, "verdict", od_verdict_text(c->verdict));
    fputs(", \"counterexample\": ", out);
    if (c->counterexample != NULL) {
        od_json_text(out, c->counterexample);
    } else {
        fputs("null", out);
    }
    fputs("}", out);
}

void od_claims_write_json(FILE *out, const od_claim *claim, size_t count)
{
    fputs("[", out);
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? ",\n  " : "", out);
        write_one(out, &claim[i]);
    }
    fputs("]", out);
}

void od_claims_write_text(FILE *out, const od_claim *claim, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const od_claim *c = &claim[i];
        fprintf(out, "  %s: %s (%s)\n    %s%s", c->source, c->statement, c->id, od_verdict_text(c->verdict),
                c->verdict == c->expected ? ", as expected" : ", which was not expected");
        if (!isnan(c->predicted)) {
            fprintf(out, ": predicted %.10g", c->predicted);
        }
        if (!isnan(c->measured)) {
            fprintf(out, "%s measured %.10g", isnan(c->predicted) ? ":" : ",", c->measured);
        }
        fprintf(out, "%s%s\n", c->counterexample != NULL ? "; " : "",
                c->counterexample != NULL ? c->counterexample : "");
    }
}

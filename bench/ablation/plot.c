// SPDX-License-Identifier: Apache-2.0
//
// The plot: plain SVG, colours for guidance, dashes for the mutator.
#include "statistics.h"
#include "table.h"

#include <stdio.h>

#define PANEL_WIDTH  420
#define PANEL_HEIGHT 260
#define LEFT         50
#define TOP          40
#define LEGEND       60
#define STEPS        150

static const char *const colours[AXIS_VALUES] = {[GUIDANCE_BLIND] = "#000000",
                                                 [GUIDANCE_NONE] = "#8a8a8a",
                                                 [GUIDANCE_FEATURES] = "#1f6fb2",
                                                 [GUIDANCE_INSTRUMENTED] = "#c2410c"};
static const char *const dashes[AXIS_VALUES] = {
    [MUTATOR_BYTES] = "5,4", [MUTATOR_STRUCTURED] = "none"};

struct panel {
    const struct rows *rows;
    struct buffer *out;
    double x, y, budget; // its upper left corner; processor seconds of its width
};

static double plot_x(const struct panel *panel, double cpu) {
    return panel->x + cpu / panel->budget * PANEL_WIDTH;
}

static double plot_y(const struct panel *panel, double lies) {
    return panel->y + PANEL_HEIGHT * (1 - lies / (double)panel->rows->lie_count);
}

// Lies that the run had found by then.
static double found_by(const struct rows *rows, const struct run *run, double cpu) {
    double found = 0;
    for (size_t lie = 0; lie < rows->lie_count; lie++)
        found += run->detected[lie] != UNKNOWN && run->detected[lie] <= cpu;
    return found;
}

static size_t runs_of(const struct rows *rows, const unsigned axes[AXES],
                      const struct run *runs[SEEDS_MAX]) {
    size_t count = 0;
    for (unsigned seed = 1; seed <= SEEDS_MAX; seed++)
        if ((runs[count] = rows_find(rows, axes, seed)))
            count++;
    return count;
}

static void plot_line(void *context, const unsigned axes[AXES]) {
    const struct panel *panel = context;
    const struct run *runs[SEEDS_MAX + 1];
    size_t count = runs_of(panel->rows, axes, runs);
    double values[SEEDS_MAX], last = 0;
    if (!count)
        return;
    buffer_format(panel->out,
                  "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\" "
                  "d=\"M%.1f %.1f",
                  colours[axes[AXIS_GUIDANCE]], dashes[axes[AXIS_MUTATOR]], plot_x(panel, 0),
                  plot_y(panel, 0));
    for (int step = 1; step <= STEPS; step++) {
        double cpu = panel->budget * step / STEPS;
        for (size_t i = 0; i < count; i++)
            values[i] = found_by(panel->rows, runs[i], cpu);
        double median = statistics_median(values, count);
        if (median == last && step < STEPS)
            continue;
        buffer_format(panel->out, " H%.1f V%.1f", plot_x(panel, cpu), plot_y(panel, median));
        last = median;
    }
    buffer_text(panel->out, "\"/>\n");
}

static void plot_frame(const struct panel *panel, const unsigned axes[AXES]) {
    double bottom = panel->y + PANEL_HEIGHT;
    buffer_format(panel->out,
                  "<rect x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" fill=\"none\" "
                  "stroke=\"#999\"/>\n<text x=\"%.0f\" y=\"%.0f\">%s, %s</text>\n",
                  panel->x, panel->y, PANEL_WIDTH, PANEL_HEIGHT, panel->x, panel->y - 6,
                  axis_values[AXIS_ENGINE][axes[AXIS_ENGINE]],
                  axis_values[AXIS_START][axes[AXIS_START]]);
    for (int part = 0; part <= 3; part++)
        buffer_format(panel->out,
                      "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">%.0f s</text>\n"
                      "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">%.0f</text>\n",
                      plot_x(panel, panel->budget * part / 3), bottom + 14,
                      panel->budget * part / 3, panel->x - 4,
                      plot_y(panel, (double)panel->rows->lie_count * part / 3) + 4,
                      (double)panel->rows->lie_count * part / 3);
}

// A row of colours for guidance, a row of dashes for the mutator.
static void plot_legend(struct buffer *out, enum axis axis, unsigned y) {
    for (unsigned value = 0; value < AXIS_VALUES && axis_values[axis][value]; value++) {
        unsigned x = LEFT + value * 220;
        buffer_format(out,
                      "<path stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\" "
                      "d=\"M%u %u h40\"/><text x=\"%u\" y=\"%u\">%s: %s</text>\n",
                      axis == AXIS_GUIDANCE ? colours[value] : colours[GUIDANCE_NONE],
                      axis == AXIS_MUTATOR ? dashes[value] : "none", x, y, x + 48, y + 4,
                      axis_names[axis], axis_values[axis][value]);
    }
}

void plot_svg(const struct rows *rows, struct buffer *out) {
    unsigned axes[AXES] = {0};
    int width = 2 * (LEFT + PANEL_WIDTH) + LEFT, height = LEGEND + 2 * (TOP + PANEL_HEIGHT) + TOP;
    buffer_format(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                  "font-family=\"sans-serif\" font-size=\"12\">\n"
                  "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
                  width, height, width, height);
    plot_legend(out, AXIS_GUIDANCE, 20);
    plot_legend(out, AXIS_MUTATOR, 40);
    for (unsigned engine = 0; engine < 2; engine++)
        for (unsigned start = 0; start < 2 && rows->count && rows->lie_count; start++) {
            struct panel panel = {.rows = rows,
                                  .out = out,
                                  .x = LEFT + start * (LEFT + PANEL_WIDTH),
                                  .y = LEGEND + TOP + engine * (TOP + PANEL_HEIGHT),
                                  .budget = rows->runs[0].budget};
            axes[AXIS_ENGINE] = engine;
            axes[AXIS_START] = start;
            plot_frame(&panel, axes);
            table_each(axes, AXIS_GUIDANCE, plot_line, &panel);
        }
    buffer_text(out, "</svg>\n");
}

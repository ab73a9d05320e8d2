/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/delta_plan.h"

#include <assert.h>
#include <string.h>

#include "daemon/core/tcp_info.h"

static bool is_carried(const struct metric *m, const struct sock_record *record)
{
	unsigned int len = m->base == METRIC_BASE_SKMEM ? record->skmem_len : record->tcp_info_len;

	return metric_source_end(m) <= len;
}

static const struct delta_step *find_step(const struct delta_plan *p, uint8_t slot)
{
	for (unsigned int i = 0; i < p->wide_count; i++)
		if (p->wide[i].slot == slot)
			return &p->wide[i];
	for (unsigned int i = 0; i < p->narrow_count; i++)
		if (p->narrow[i].slot == slot)
			return &p->narrow[i];
	return NULL;
}

bool delta_plan_has(const struct delta_plan *p, uint8_t slot)
{
	return find_step(p, slot) != NULL;
}

static struct delta_step *new_step(struct delta_plan *p, const struct metric *m)
{
	if (m->width == 8) {
		assert(p->wide_count < DELTA_STEPS_MAX / 2);
		return &p->wide[p->wide_count++];
	}
	assert(p->narrow_count < DELTA_STEPS_MAX);
	return &p->narrow[p->narrow_count++];
}

/* A value that several families follow has one step, for the one that counts its growth. */
static void add_step(struct delta_plan *p, const struct catalogue *c, unsigned int metric)
{
	const struct metric *m = &metrics[metric];
	struct delta_step *s = (struct delta_step *)find_step(p, c->slot[metric]);

	if (!s) {
		s = new_step(p, m);
		*s = (struct delta_step){
			.offset = m->offset,
			.cell = (uint16_t)c->groups[POLL_FAMILY_TCP].spare_cell,
			.slot = c->slot[metric],
			.width = m->width,
			.base = (uint8_t)m->base,
			.derive = (uint8_t)m->derive,
		};
	}
	if (c->on[metric] && m->combine == METRIC_DELTA)
		s->cell = c->cell[metric];
	if (!m->is_pulse)
		return;
	assert(p->pulse_count < DELTA_PULSES_MAX);
	p->pulses[p->pulse_count++] = *s;
}

void delta_plan_make(struct delta_plan *p, const struct catalogue *c,
		     const struct sock_record *record)
{
	p->wide_count = 0;
	p->narrow_count = 0;
	p->pulse_count = 0;
	for (unsigned int i = 0; i < metric_count; i++)
		if (metric_is_followed(&metrics[i]) && is_carried(&metrics[i], record))
			add_step(p, c, i);
}

static uint64_t load(const struct delta_step *s, const struct sock_record *record)
{
	const uint8_t *base = s->base == METRIC_BASE_SKMEM ? record->skmem : record->tcp_info;

	if (s->derive == METRIC_DERIVE_ACKED)
		return tcp_info_acked_bytes(base);
	return sock_load(base, s->offset, s->width);
}

bool delta_plan_is_news(const struct delta_plan *p, const struct sock_record *record,
			const uint8_t *values)
{
	for (unsigned int i = 0; i < p->pulse_count; i++) {
		const struct delta_step *s = &p->pulses[i];
		uint64_t before = s->width == 8 ? sock_load_u64(values, s->slot)
						: sock_load_u32(values, s->slot);

		if (load(s, record) != before)
			return true;
	}
	return p->pulse_count == 0;
}

static void run_wide(const struct delta_step *s, const struct sock_record *record, uint8_t *values,
		     uint64_t *cells)
{
	uint64_t before = sock_load_u64(values, s->slot);
	uint64_t now = load(s, record);

	if (now <= before)
		return;
	cells[s->cell] += now - before;
	memcpy(values + s->slot, &now, sizeof(now));
}

/* More than half way around is no growth but a fall. */
static void run_narrow(const struct delta_step *s, const struct sock_record *record,
		       uint8_t *values, uint64_t *cells)
{
	uint32_t before = sock_load_u32(values, s->slot);
	uint32_t now = (uint32_t)load(s, record);
	uint32_t growth = s->width == 2 ? (uint16_t)(now - before) : now - before;

	if (growth <= (s->width == 2 ? UINT16_MAX : UINT32_MAX) / 2)
		cells[s->cell] += growth;
	memcpy(values + s->slot, &now, sizeof(now));
}

void delta_plan_run(const struct delta_plan *p, const struct sock_record *record, uint8_t *values,
		    uint64_t *cells)
{
	for (unsigned int i = 0; i < p->wide_count; i++)
		run_wide(&p->wide[i], record, values, cells);
	for (unsigned int i = 0; i < p->narrow_count; i++)
		run_narrow(&p->narrow[i], record, values, cells);
}

void delta_plan_take(const struct delta_plan *p, const struct sock_record *record, uint8_t *values)
{
	for (unsigned int i = 0; i < p->wide_count; i++) {
		uint64_t now = load(&p->wide[i], record);

		memcpy(values + p->wide[i].slot, &now, sizeof(now));
	}
	for (unsigned int i = 0; i < p->narrow_count; i++) {
		uint32_t now = (uint32_t)load(&p->narrow[i], record);

		memcpy(values + p->narrow[i].slot, &now, sizeof(now));
	}
}

void delta_plan_replay(const struct delta_plan *p, const uint8_t *values, uint8_t *tcp_info)
{
	for (unsigned int i = 0; i < p->wide_count; i++)
		if (p->wide[i].derive == METRIC_DERIVE_NOTHING)
			memcpy(tcp_info + p->wide[i].offset, values + p->wide[i].slot, 8);
	for (unsigned int i = 0; i < p->narrow_count; i++)
		if (p->narrow[i].base == METRIC_BASE_TCP_INFO)
			memcpy(tcp_info + p->narrow[i].offset, values + p->narrow[i].slot,
			       p->narrow[i].width);
}

/* sim_loss.h - the ledger behind the queue store, and the store's loss. */
#ifndef TESTS_SIM_LOSS_H
#define TESTS_SIM_LOSS_H

#include "tests/lib/sim.h"

struct ledger;
void sim_loss_make(void);
void sim_loss_free(void);
bool sim_store_serves(void); /* the broker has it, and believes it */
bool sim_loss_is_over(void); /* nothing is in doubt, and the recorder is done */
void sim_check_ledger(void); /* at the end: each record once */
uint64_t sim_ledger_attempts(uint64_t i);
uint64_t sim_ledger_told(uint64_t i); /* people's records on the case */
bool sim_ledger_has(struct span log_id);

#endif

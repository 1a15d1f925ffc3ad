//! The world: one process at a time over a store that lasts, clients, faults, and a clock that moves when it is told to.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use kecs_adapters_sim::SimOptions;
use kecs_adapters_storage::MemoryStore;
use kecs_usecases::ports::WakeKey;

use super::client::call::{Outcome, Request};
use super::client::{Client, Facts};
use super::fault::{Fault, Rates};
use super::plant::Plant;
use super::process::{Done, Job, Process};
use super::random::Random;
use super::seed::Seed;
use super::setup::{attributes, instances, options, orchestrator};
use super::shared::{JobRef, Origin, Shared};
use super::trace::Trace;

/// How many calls of clients are under way at most.
const CALLS: usize = 6;
/// More polls than any instant needs: beyond this, something wakes itself for ever.
const RESTLESS: usize = 50_000;

/// See the module.
pub(crate) struct World {
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) process: Process,
    /// Whether the orchestrator outlives the process.
    pub(crate) lasts: bool,
    pub(crate) options: SimOptions,
    pub(crate) client: Client,
    pub(crate) facts: Facts,
    /// What the world does next.
    pub(crate) random: Random,
    pub(super) workers: usize,
    jobs: u64,
    checked: u64,
    /// The process is down until so many steps have gone by.
    down: u64,
}

impl World {
    pub(crate) fn new(seed: &Seed, keep_trace: bool, plant: Option<Plant>) -> Self {
        let mut random = Random::new(seed.seed, 4);
        let rates = Rates::draw(&mut random, seed.faults);
        let shared = Arc::new(Shared::new(seed.seed, rates, Trace::new(keep_trace), plant));
        let options = options(&mut random);
        let lasts = random.percent(40);
        let workers = random.index(4) + 1;
        let orchestrator = orchestrator(&options, &shared);
        let store = Arc::new(MemoryStore::new());
        let nodes = instances(&orchestrator, &options);
        shared.lock().ledger.nodes.extend(attributes(&options, &nodes));
        let process = Process::new(&store, orchestrator, &shared, lasts);
        let client = Client::new(seed.seed, nodes);
        let facts = Facts::new(client.ctx.scope.clone());
        let mut world = Self {
            shared,
            store,
            process,
            lasts,
            options,
            client,
            facts,
            random,
            workers,
            jobs: 0,
            checked: 0,
            down: 0,
        };
        let faults = std::mem::replace(&mut world.shared.lock().rates, Rates::none());
        world.log(format_args!("workers {workers}, the orchestrator lasts: {lasts}"));
        world.begin_start();
        world.settle();
        for phase in world.client.opening() {
            for request in phase {
                world.begin_call(request);
            }
            world.settle();
        }
        world.shared.lock().rates = faults;
        world
    }

    pub(crate) fn log(&self, line: fmt::Arguments<'_>) {
        self.shared.lock().trace.line(line);
    }

    pub(crate) fn violate(&self, promise: &'static str, text: impl Into<String>) {
        self.shared.lock().ledger.violate(promise, text);
    }

    /// Whether something is wrong.
    pub(crate) fn is_broken(&self) -> bool {
        !self.shared.lock().ledger.violations.is_empty()
    }

    pub(super) fn happens(&self, fault: Fault) -> bool {
        self.shared.lock().happens(fault)
    }

    /// One step: something happens around the process, and it works a little.
    pub(crate) fn step(&mut self, number: u32) {
        let (now, jobs) = (self.shared.millis(), self.process.jobs.len());
        self.log(format_args!("{number} at {now}, {jobs} jobs"));
        if self.down > 0 {
            self.down -= 1;
            if self.down == 0 {
                self.begin_start();
            }
        }
        let idle = self.process.jobs.is_empty() && !self.process.queue.has_ready();
        match self.random.below(100) {
            0..=34 if self.process.is_up() => self.call(),
            35..=64 => self.pass_time(),
            _ if idle => self.pass_time(),
            _ => {}
        }
        self.cause_faults();
        self.deliver();
        let polls = self.random.below(24);
        for _ in 0..polls {
            self.poll_one();
            self.spawn();
        }
        self.check();
    }

    /// Checks what holds at every moment, if anything was committed since the last time.
    pub(crate) fn check(&mut self) {
        let mut shared = self.shared.lock();
        let ledger = &mut shared.ledger;
        if ledger.commits == self.checked {
            return;
        }
        self.checked = ledger.commits;
        ledger.compare_counts(&self.store);
        if let Err(wrong) = self.facts.check(ledger) {
            ledger.violate("an acknowledged change stays", wrong);
        }
    }

    fn call(&mut self) {
        let calls = self.process.jobs.iter().filter(|job| job.request.is_some()).count();
        if calls < CALLS {
            let request = self.client.next(&self.shared.lock().ledger);
            self.begin_call(request);
        }
    }

    pub(crate) fn begin_call(&mut self, request: Request) {
        let ecs = self.process.ecs.clone();
        let (ctx, call) = (self.client.ctx.clone(), request.clone());
        let future = Box::pin(async move { Done::Api(call.make(&ecs, &ctx).await) });
        let origin = Origin::Api(request.name());
        let number = self.begin(origin, Some(request), future);
        let job = &self.process.jobs[self.process.jobs.len() - 1];
        if let Some(request) = &job.request {
            self.facts.begin(number, request);
            self.log(format_args!("  #{number} calls {request}"));
        }
    }

    pub(super) fn begin(
        &mut self,
        origin: Origin,
        request: Option<Request>,
        future: std::pin::Pin<Box<dyn Future<Output = Done>>>,
    ) -> u64 {
        self.jobs += 1;
        self.shared.lock().ledger.begin_of(self.jobs);
        let is = JobRef { number: self.jobs, origin: Arc::new(origin) };
        self.process.jobs.push(Job { is, request, future });
        self.jobs
    }

    /// The process comes up: what is stored is taken up again.
    pub(crate) fn begin_start(&mut self) {
        let ecs = self.process.ecs.clone();
        let future = Box::pin(async move { Done::Started(ecs.reconciler().start().await) });
        let number = self.begin(Origin::Start, None, future);
        self.log(format_args!("  #{number} starts"));
    }

    fn pass_time(&mut self) {
        let now = self.shared.millis();
        let next = self.next_deadline().filter(|next| *next > now);
        let to = match (self.random.below(10), next) {
            (0..=5, Some(next)) => next + self.random.between(0, 50),
            (9, _) => now + self.random.between(3_000, 40_000),
            _ => now + self.random.between(10, 3_000),
        };
        self.advance(to);
    }

    /// When something happens next by itself.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        let process = &self.process;
        let up = process.is_up();
        let timers = [process.resync_at, process.sweep_at].into_iter().filter(|_| up);
        let intake = process.intake.as_ref().map(|intake| intake.not_before);
        let orchestrator = process.orchestrator.next_deadline().map(|at| at.as_millis());
        timers.chain(process.queue.next()).chain(intake).chain(orchestrator).min()
    }

    pub(crate) fn advance(&mut self, to: i64) {
        self.shared.set_millis(to);
        self.log(format_args!("  it is {to}"));
        self.process.orchestrator.tick(kecs_domain::Timestamp::from_millis(self.shared.millis()));
    }

    fn cause_faults(&mut self) {
        if self.happens(Fault::TimeJump) {
            let minutes = self.random.weighted(&[(6, 5), (5, 30), (4, 65), (1, 25 * 60)]);
            if minutes > 20 * 60 {
                self.client.forget_tokens();
                self.facts.forget_tokens();
            }
            self.advance(self.shared.millis() + minutes * 60_000);
        }
        if self.down == 0 && self.happens(Fault::Crash) {
            self.log(format_args!("  the process is killed"));
            self.die();
        }
        self.break_tasks();
        if self.process.is_up() && self.process.intake.is_none() && self.happens(Fault::ObservationGap) {
            self.log(format_args!("  observations are lost"));
            self.shared.lock().ledger.reach("observations are lost");
            self.process.observe();
        }
    }

    /// The process is gone; what was under way has come out this way or that.
    pub(crate) fn die(&mut self) {
        let orchestrator = if self.lasts {
            Arc::clone(&self.process.orchestrator)
        } else {
            orchestrator(&self.options, &self.shared)
        };
        let new = Process::new(&self.store, orchestrator, &self.shared, self.lasts);
        let dead = std::mem::replace(&mut self.process, new);
        let mut shared = self.shared.lock();
        shared.died = false;
        shared.ledger.reach(if self.lasts {
            "the tasks outlive the process"
        } else {
            "the tasks die with the process"
        });
        shared.wakes.clear();
        shared.ledger.end_of_all();
        let unknown = Outcome::Unknown("the process died".to_owned());
        for job in &dead.jobs {
            if let Some(request) = &job.request {
                let _ = self.facts.end(job.is.number, request, &unknown, &shared.ledger);
            }
        }
        drop(shared);
        self.down = self.random.below(4) + 1;
    }

    /// One of the jobs goes on. Whether there was one.
    fn poll_one(&mut self) -> bool {
        if self.process.jobs.is_empty() {
            return false;
        }
        let index = self.random.index(self.process.jobs.len());
        let job = &mut self.process.jobs[index];
        self.shared.lock().job = job.is.clone();
        let mut context = Context::from_waker(Waker::noop());
        let polled = catch_unwind(AssertUnwindSafe(|| job.future.as_mut().poll(&mut context)));
        if self.shared.lock().died {
            self.die();
            return true;
        }
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(done)) => {
                let job = self.process.jobs.swap_remove(index);
                self.shared.lock().ledger.end_of(job.is.number);
                self.end(&job, done);
                self.take_wakes();
            }
            Err(_) => {
                let job = self.process.jobs.swap_remove(index);
                self.violate("nothing panics", format!("{:?}", job.is.origin));
            }
        }
        true
    }

    /// Everything that can be done at this instant is done. Faults must be off.
    pub(crate) fn settle(&mut self) {
        for _ in 0..RESTLESS {
            if self.down > 0 {
                self.down = 0;
                self.begin_start();
            }
            self.deliver();
            if !self.poll_one() && !self.process.queue.has_ready() {
                let waiting =
                    self.process.intake.as_ref().is_some_and(|it| it.not_before <= self.shared.millis());
                if !waiting && self.shared.lock().wakes.is_empty() {
                    return;
                }
            }
        }
        self.violate("everything comes to rest", "the reconcilers wake each other for ever");
    }

    /// A hint that came from nowhere, to see that it does no harm.
    pub(crate) fn wake(&mut self, key: WakeKey) {
        self.process.queue.wake(key);
    }
}
